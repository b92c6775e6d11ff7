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

# Makes build/isol8, which runs on this machine itself: the release build where it was built natively,
# else a bundle that carries its libraries.
build_release() {
    build_preset release --target isol8
    if [[ $(toolchain_kind) == native ]]; then
        ln -sfn release/isol8 "$checkout/build/isol8"
    else
        enter "$checkout/packaging/bundle.sh"
    fi
}
