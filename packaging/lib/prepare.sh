# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# Reads the other files. The caller has set `checkout` to the top of the source tree.

for library in log host toolchain docker build images; do
    # shellcheck source=/dev/null
    . "$checkout/packaging/lib/$library.sh"
done
unset library

export HOME=${HOME:-/root}
trap 'toolchain_clean_up; say_where_it_ended' EXIT

# prepare build|test PRESET: from a bare machine to an isol8 that can run code.
prepare() {
    step "Preparing the toolchain" toolchain_prepare "$1"
    step "Building isol8" build_program "$2"
    step "Preparing Docker" docker_prepare
    step "Preparing the sandbox images" images_prepare "$1"
}
