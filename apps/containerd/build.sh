#!/bin/bash
# Bundles containerd, with its worker threads' script and the native addon beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=../..
. $root/scripts/bundle.sh
bash $root/packages/base/sys/build.sh
place $root/packages/base/sys/build/sys.node build
stale_daemon containerd build/containerd.mjs || exit 0
bundle $root/packages/shared/archive/src/worker/worker.ts build/archive-worker.mjs
bundle src/main.ts build/containerd.mjs
