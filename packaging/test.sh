#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every test, with sanitizers and against a real Docker. Arguments go to ctest. With
# ISOL8_TEST_DAEMONS=2, as root, the attacks have a daemon of their own and run beside the other live tests.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=lib/prepare.sh
. "$checkout/packaging/lib/prepare.sh"

# Its images are made while the tests are built.
prepare_second() {
    quietly docker_second_prepare &&
        DOCKER_HOST=unix://$docker_second_socket quietly isol8 setup
}

prepare test asan
attacks=''
if [[ ${ISOL8_TEST_DAEMONS:-1} == 2 ]]; then
    attacks=unix://$docker_second_socket
    prepare_second &
    second=$!
fi
step "Building the tests" build_preset asan
if [[ -n $attacks ]] && ! wait "$second"; then
    say WARN "The second Docker could not be prepared; all live tests share the first."
    attacks=''
fi
cd "$checkout"
quietly enter cmake --preset asan -D "ISOL8_ATTACKS_DOCKER=$attacks"
enter ctest --preset asan --parallel 2 "$@"
