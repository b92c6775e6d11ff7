#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that the window says goes through tr(): no control gets its text as a literal. Addresses
# and the like, which are the same in every language, are none.
set -euo pipefail
cd "$1"
setters='set(Text|ToolTip|WindowTitle|PlaceholderText|StatusTip|Title|LabelText|InformativeText|AccessibleName'
setters+='|AccessibleDescription|Prefix|Suffix|HeaderText)|add(Tab|Action|Button|Menu|ToolBar|Row)'
setters+='|Q(Label|PushButton|ToolButton|CheckBox|RadioButton|GroupBox|Action|DockWidget)'
found=$(grep -rnE --include='*.cpp' --include='*.h' "\\b($setters)\\(([a-z]+, )?u?\"[^\"]*[A-Za-z]{2,}" ui |
    grep -vE 'u"[a-z]+://' || true)
[[ -z $found ]] || { printf 'Texts without tr():\n%s\n' "$found"; exit 1; }
