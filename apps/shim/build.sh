#!/bin/bash
# Compiles the shim into one executable, with the native addon beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash ../../packages/base/sys/build.sh
name=containerd-shim-longshore-v2
sources=(src build.sh package.json ../../packages/{base/{errdefs,sys,telemetry},protocol/{proto,ttrpc,wire}}/src ../../packages/protocol/proto/gen)
if ! cmp -s ../../packages/base/sys/build/sys.node build/sys.node; then
  mkdir -p build
  cp ../../packages/base/sys/build/sys.node "build/sys.node.$$"
  mv "build/sys.node.$$" build/sys.node
fi
if [ -e "build/$name" ] && [ -z "$(find "${sources[@]}" -newer "build/$name" -type f -print -quit)" ]; then exit 0; fi
bun=(node_modules/@oven/bun-linux-*/bin/bun)
"${bun[0]}" build --compile --bytecode --minify --target=bun --conditions=compact src/main.ts --outfile "build/$name.$$" >/dev/null
mv "build/$name.$$" "build/$name"
