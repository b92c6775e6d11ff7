# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# Building isol8 in the toolchain.

# build_preset NAME [cmake --build arguments]: configures when that was never done, then builds.
build_preset() (
    cd "$checkout" || exit
    if [[ ! -f build/$1/build.ninja ]]; then
        quietly enter cmake --preset "$1"
    fi
    quietly enter cmake --build --preset "$@"
)

# build_program PRESET: builds isol8 so that it runs on this machine itself, and sets isol8_program to its
# path: the program where it was built natively, else a bundle that carries its libraries.
build_program() {
    build_preset "$1" --target isol8
    isol8_program=$checkout/build/$1/isol8
    if [[ $(toolchain_kind) != native ]]; then
        enter "$checkout/packaging/bundle.sh" "$1"
        isol8_program=$checkout/build/bundle/bin/isol8
        [[ $1 == release ]] || isol8_program=$checkout/build/bundle-$1/bin/isol8
    fi
    # What people start.
    [[ $1 != release ]] || ln -sfn "${isol8_program#"$checkout/build/"}" "$checkout/build/isol8"
}
