#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# enter.sh CMD…: runs CMD in the toolchain, which it makes first where it is missing.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=lib/prepare.sh
. "$checkout/packaging/lib/prepare.sh"

(($#)) || fail "usage: enter.sh COMMAND [ARGUMENT…]"
toolchain_prepare build >&2
enter "$@"
