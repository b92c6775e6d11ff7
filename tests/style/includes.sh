#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Includes go one way: app -> ui -> engine, no GUI module in the engine, no Qt in the guest.
set -euo pipefail
cd "$1"
status=0

# refuse WHAT REGEX FOLDER…: no source of the folders may have a line that matches.
refuse() {
    local what=$1 pattern=$2 found
    shift 2
    found=$(grep -rnE --include='*.cpp' --include='*.h' -- "$pattern" "$@" || true)
    if [[ -n $found ]]; then
        printf '%s:\n%s\n' "$what" "$found"
        status=1
    fi
}

gui='#include <(QtGui|QtWidgets|Q(Gui)?Application|QWidget|QMainWindow|QDialog|QAction|QPainter|QImage|QPixmap|QIcon|QFont|QColor|QClipboard|QWindow|QScreen)[/>]'
refuse "A GUI header in the engine" "$gui" engine
refuse "The engine includes app or ui" '#include "(app|ui)/' engine
refuse "The user interface includes app" '#include "app/' ui
refuse "The command line includes ui" '#include "ui/' app/cli

linked=$(grep -rnE 'Qt6::(Gui|Widgets)' engine --include=CMakeLists.txt || true)
[[ -z $linked ]] || { printf 'A GUI module linked to the engine:\n%s\n' "$linked"; status=1; }

# What the guest's program is made of, from its list of sources; the folder also holds host sources.
mapfile -t guest < <(sed -n '/add_executable(isol8-guest/,/)/p' engine/guest/CMakeLists.txt |
    grep -oE '[a-z]+\.cpp')
((${#guest[@]} > 3))
for source in "${guest[@]}"; do
    refuse "Qt in the guest" '#include <Q' "engine/guest/$source"
    [[ ! -f engine/guest/${source%.cpp}.h ]] ||
        refuse "Qt in the guest" '#include <Q' "engine/guest/${source%.cpp}.h"
done
refuse "Qt in the guest" '#include <Q' engine/guest/protocol.h

exit "$status"
