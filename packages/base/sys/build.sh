#!/bin/bash
# Compiles the addon with plain cc when a source is newer than what is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
: "${LONGSHORE_NODE_HOME:?the Node whose headers are used; source scripts/env.sh}"
out=build/sys.node
if [ -e "$out" ] && [ -z "$(find native build.sh -newer "$out" -print -quit)" ]; then exit 0; fi
mkdir -p build
cc -std=gnu11 -O2 -g0 -fPIC -shared -fvisibility=hidden -Wall -Wextra -pthread \
  -I "$LONGSHORE_NODE_HOME/include/node" -o "$out.$$" native/*.c
mv "$out.$$" "$out" # a running process keeps the file it has mapped
