#!/bin/bash
# Bundles docker-proxy into one JavaScript file, with the native addon beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=../..
. $root/scripts/bundle.sh
bash $root/packages/base/sys/build.sh
place $root/packages/base/sys/build/sys.node build
stale build/docker-proxy.mjs src package.json $root/packages/base/{ip,sys}/src $root/packages/protocol/proxy-api/src || exit 0
bundle src/main.ts build/docker-proxy.mjs
