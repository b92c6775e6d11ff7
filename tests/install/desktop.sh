#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# desktop.sh PREFIX: the desktop finds the program, and its icon in every size that it says it has.
set -euo pipefail
share=$1/share
icon=$(sed -n 's/^Icon=//p' "$share/applications/org.isol8.Isol8.desktop")
for size in 16 24 32 48 64 128 256; do
    picture=$share/icons/hicolor/${size}x$size/apps/$icon.png
    # Width and height of a PNG: two big-endian numbers at its byte 16.
    read -r width height < <(od -An -j16 -N8 -tu4 --endian=big "$picture")
    [[ $width == "$size" && $height == "$size" ]] || { echo "$picture is $width x $height"; exit 1; }
done
grep -q '<svg' "$share/icons/hicolor/scalable/apps/$icon.svg"
[[ -s $share/metainfo/org.isol8.Isol8.metainfo.xml ]]
