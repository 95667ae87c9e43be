# Sourced by bin/* with $root set.

# launch APP NAME ARGUMENT…: becomes a daemon on the locked Node, whatever `node` the machine has.
# A small young generation, one malloc arena and fixed thresholds keep an idle daemon's memory low (after
# the same work: 129 MiB with none of them, 110 with all): glibc else keeps an arena for each thread, and
# takes ever larger buffers from a heap that cannot shrink below its last one. Runs the bundle; in a checkout that changed since it was built, the
# sources, so that never an old state of them runs. A young generation of 1 MiB would save another 1 MiB
# or so, but cost each `docker run` a sixth more processor time (medians of three rounds in turn).
launch() {
  app=$1 name=$2
  shift 2
  case $(uname -m) in aarch64 | arm64) arch=arm64 ;; *) arch=x64 ;; esac
  node=$root/scripts/toolchain/node_modules/node-linux-$arch/bin/node
  program=$root/apps/$app/build/$name.mjs
  if [ ! -x "$node" ]; then
    echo "$name: $node is missing; run 'npm run setup' in $(cd "$root" && pwd)" >&2
    exit 1
  fi
  stale_daemon "$app" "$program" && program=$root/apps/$app/src/main.ts
  export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}" MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-131072}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-131072}"
  exec "$node" --max-semi-space-size=4 --optimize-for-size "$program" "$@"
}
