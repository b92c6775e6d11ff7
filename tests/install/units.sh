#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# units.sh PREFIX: the installed systemd units start the installed program, and systemd, where it is,
# finds nothing wrong with them.
set -euo pipefail
units=$1/lib/systemd/system
grep -qxF "ExecStart=$1/bin/isol8 serve" "$units/isol8.service"
if command -v systemd-analyze >/dev/null; then
    complaints=$(systemd-analyze verify --man=no "$units/isol8.service" "$units/isol8.socket" 2>&1) || true
    ! grep -F isol8. <<<"$complaints"
fi
