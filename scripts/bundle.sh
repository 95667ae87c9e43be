# Sourced with $root set to the checkout: the daemons' bundles, for what builds them and what runs them.
# Node runs the sources as well, but stripping their types costs each process some 25 MB of its own
# memory, and loading a thousand files costs it twice the time to start.

# stale FILE SOURCE…: whether FILE is missing or older than what it is made of
stale() {
  stale_file=$1
  shift
  [ ! -e "$stale_file" ] || [ -n "$(find "$@" "$root/pnpm-lock.yaml" "$root/scripts/bundle.sh" -newer "$stale_file" -type f ! -name '*.test.ts' -print -quit 2>/dev/null)" ]
}

# stale_daemon APP FILE: the same for a daemon's bundle
stale_daemon() {
  stale "$2" "$root/apps/$1/src" "$root/apps/$1/package.json" "$root"/packages/*/*/src "$root"/packages/*/*/native "$root/packages/protocol/proto/gen"
}

# bundle ENTRY FILE: writes one JavaScript file with all that ENTRY imports but the native addon
bundle() {
  set -- "$1" "$2" "$root"/apps/shim/node_modules/@oven/bun-linux-*/bin/bun
  mkdir -p "$(dirname "$2")"
  : >"$2.$$.start" # a source that changes meanwhile is newer than the bundle
  "$3" build --target=node --minify-whitespace --minify-syntax --keep-names "$1" --outfile "$2.$$.mjs" >/dev/null
  touch -r "$2.$$.start" "$2.$$.mjs"
  rm "$2.$$.start"
  mv "$2.$$.mjs" "$2"
}

# place FILE DIRECTORY: copies a file that changed; a running process keeps the one that it has mapped
place() {
  mkdir -p "$2"
  cmp -s "$1" "$2/${1##*/}" && return
  cp "$1" "$2/${1##*/}.$$"
  mv "$2/${1##*/}.$$" "$2/${1##*/}"
}
