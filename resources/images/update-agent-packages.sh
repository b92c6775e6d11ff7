#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# update-agent-packages.sh VERSION: writes agent-packages.txt, what the agent image gets from npm: the pi coding
# agent and everything it needs, each with its version and its integrity hash. Needs npm and node.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/package.json" <<EOF
{ "name": "agent", "version": "1.0.0", "dependencies": { "@mariozechner/pi-coding-agent": "$1" } }
EOF
(cd "$work" && npm install --package-lock-only --ignore-scripts --no-audit --no-fund >/dev/null)
# Left out: what is optional (clipboards and native helpers of other systems), and types of TypeScript.
node -e '
const { packages } = JSON.parse(require("fs").readFileSync(process.argv[1]));
for (const [path, entry] of Object.entries(packages)) {
    const name = path.split("node_modules/").pop();
    if (path === "" || entry.optional || /^@types\/|^undici-types$/.test(name))
        continue;
    if (!/^sha512-[A-Za-z0-9+\/]{86}==$/.test(entry.integrity))
        throw new Error(path + " has no sha512");
    console.log(path, name, entry.version, entry.integrity);
}' "$work/package-lock.json" >agent-packages.txt
wc -l agent-packages.txt
