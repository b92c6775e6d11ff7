#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a bare machine to untrusted code running in a sandbox: toolchain, build, Docker, images, then
# `isol8` with the given arguments. A later call does only what has changed.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=lib/prepare.sh
. "$checkout/packaging/lib/prepare.sh"

prepare build release
(($#)) || set -- run -e "print('Hello from isol8')"
say INFO "isol8 $*"
isol8 "$@"
