#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every source is formatted as .clang-format says, by that one version of clang-format: others differ.
set -euo pipefail
cd "$1"
mapfile -d '' sources < <(find app engine ui tests \( -name '*.cpp' -o -name '*.h' \) -print0)
((${#sources[@]} > 0))
clang-format-19 --dry-run -Werror "${sources[@]}"
