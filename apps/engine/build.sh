#!/bin/bash
# Bundles dockerd, with its worker threads' script, the userland proxy and the native addon beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=../..
. $root/scripts/bundle.sh
bash $root/apps/docker-proxy/build.sh
place $root/packages/base/sys/build/sys.node build
place $root/apps/docker-proxy/build/docker-proxy.mjs build
stale_daemon engine build/dockerd.mjs || exit 0
bundle $root/packages/shared/archive/src/worker/worker.ts build/archive-worker.mjs
bundle src/main.ts build/dockerd.mjs
