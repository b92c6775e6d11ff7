#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests wait for what they wait for: they neither sleep nor skip. The bench, which measures idle time, is none.
set -euo pipefail
cd "$1"
found=$(grep -rnE --include='*.cpp' --include='*.h' --exclude-dir=bench \
    'QSKIP|QTest::q(Wait|Sleep)\(|sleep_(for|until)\(|QThread::[mu]?sleep\(|::(u|nano)?sleep\(' tests || true)
[[ -z $found ]] || { printf 'Sleeps or skips in tests:\n%s\n' "$found"; exit 1; }
