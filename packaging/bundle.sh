#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bundle.sh [PRESET]: makes build/bundle from build/release/isol8 (or build/bundle-PRESET): the program with its
# libraries, Qt plugins and the dynamic loader, for a machine whose own are older. Runs in the
# toolchain. The loader's path is absolute, so a moved checkout needs a new bundle.
set -euo pipefail
export LC_ALL=C.UTF-8
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
preset=${1:-release}
program=$checkout/build/$preset/isol8
window=$checkout/build/$preset/libisol8-gui.so
system_proxy=$checkout/build/$preset/systemproxy
bundle=$checkout/build/bundle
[[ $preset == release ]] || bundle+=-$preset
new=$bundle.new

stamp=$({ echo "$bundle"; cat "$0" "$program" "$window" "$system_proxy"/*.so.1; } | sha256sum)
if [[ -f $bundle/stamp && $(<"$bundle/stamp") == "$stamp" ]]; then
    exit 0
fi

# The libraries that the given programs and libraries need, with their paths: our libproxy, not the system's.
libraries_of() { LD_LIBRARY_PATH=$system_proxy ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u; }

rm -rf "$new"
mkdir -p "$new/bin" "$new/lib/isol8" "$new"/plugins/{tls,sqldrivers,platforms,imageformats,iconengines}
plugins=$(qtpaths6 --query QT_INSTALL_PLUGINS)
cp "$plugins/tls/libqopensslbackend.so" "$new/plugins/tls/"
cp "$plugins"/sqldrivers/libqsql{ite,psql,mysql}.so "$new/plugins/sqldrivers/"
# Of the window; what a toolchain need not have is optional.
cp "$plugins"/platforms/libq{xcb,offscreen,minimal}.so "$new/plugins/platforms/"
cp "$plugins"/imageformats/libq{svg,gif,jpeg,ico}.so "$new/plugins/imageformats/"
cp "$plugins/iconengines/libqsvgicon.so" "$new/plugins/iconengines/"
for optional in platforms/libqwayland*.so wayland-{shell-integration,decoration-client,graphics-integration-client} \
    platforminputcontexts platformthemes/libqxdgdesktopportal.so; do
    for found in "$plugins"/$optional; do
        [[ -e $found ]] || continue
        folder=$new/plugins/$(dirname "${found#"$plugins"/}")
        mkdir -p "$folder"
        cp -r "$found" "$folder/"
    done
done
install -m 755 -s "$program" "$new/bin/isol8"
install -m 644 -s "$window" "$new/lib/isol8/"
libraries_of "$program" "$window" "$new"/plugins/*/*.so | xargs cp -L -t "$new/lib"
loader=$(patchelf --print-interpreter "$program")
cp -L "$loader" "$new/lib/"
printf '[Paths]\nPrefix=..\nPlugins=plugins\n' >"$new/bin/qt.conf"
# A library's own RUNPATH would hide the program's RPATH from it.
for library in "$new"/lib/*.so* "$new"/lib/isol8/*.so; do
    [[ $library == */ld-* || -z $(patchelf --print-rpath "$library") ]] || patchelf --remove-rpath "$library"
done
# RPATH, not RUNPATH: it holds for what the libraries and plugins need as well.
patchelf --set-interpreter "$bundle/lib/${loader##*/}" --force-rpath --set-rpath "\$ORIGIN/../lib" \
    "$new/bin/isol8"
printf '%s\n' "$stamp" >"$new/stamp"

rm -rf "$bundle"
mv -T "$new" "$bundle"
