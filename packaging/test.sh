#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every test, with sanitizers and against a real Docker. Arguments go to ctest.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=lib/prepare.sh
. "$checkout/packaging/lib/prepare.sh"

prepare test asan
step "Building the tests" build_preset asan
cd "$checkout"
enter ctest --preset asan --parallel 2 "$@"
