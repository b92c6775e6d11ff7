#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench.sh [PART…]: measures isol8 beside what it is compared with, each pair in turn, and prints one
# table; the figures go to build/bench.json too.
# Parts: commandline, server, streams, engine, sessions, network.
# On a quiet machine it takes about a quarter of an hour. It fails on a wrong answer, never on a time.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=lib/prepare.sh
. "$checkout/packaging/lib/prepare.sh"

prepare test release
step "Building the bench" build_preset release --target isol8-bench
# Docker's own command line, where the toolchain can see it.
tools=$(mktemp -d)
trap 'rm -rf "$tools"; toolchain_clean_up; say_where_it_ended' EXIT
docker=()
if command -v docker >/dev/null; then
    cp -L "$(command -v docker)" "$tools/docker"
    docker=(--docker "$tools/docker")
fi
enter "$checkout/build/release/tests/bench/isol8-bench" "${docker[@]}" \
    --json "$checkout/build/bench.json" "$@"
