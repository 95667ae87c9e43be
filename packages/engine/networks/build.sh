#!/bin/bash
# Bundles the userland proxy into one JavaScript file, with the native addon beside it. Node would
# run the sources as well, but stripping their types costs each process 26 MB of its own memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash ../../base/sys/build.sh
mkdir -p build
if ! cmp -s ../../base/sys/build/sys.node build/sys.node; then
  cp ../../base/sys/build/sys.node "build/sys.node.$$"
  mv "build/sys.node.$$" build/sys.node
fi
out=build/docker-proxy.mjs
if [ -e "$out" ] && [ -z "$(find src build.sh package.json ../../base/sys/src -newer "$out" -type f -print -quit)" ]; then exit 0; fi
bun=(node_modules/@oven/bun-linux-*/bin/bun)
"${bun[0]}" build --target=node src/proxy/main.ts --outfile "build/docker-proxy.$$.mjs" >/dev/null
mv "build/docker-proxy.$$.mjs" "$out"
