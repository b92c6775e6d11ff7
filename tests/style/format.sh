#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# format.sh FOLDER [-i]: every source below FOLDER is formatted as .clang-format says, by that one version of
# clang-format, since others differ. -i formats them.
set -euo pipefail
cd "$1"
mode=("${@:2}")
((${#mode[@]})) || mode=(--dry-run -Werror)
mapfile -d '' sources < <(find app engine ui tests \( -name '*.cpp' -o -name '*.h' \) -print0)
((${#sources[@]} > 0))
clang-format-19 "${mode[@]}" "${sources[@]}"
