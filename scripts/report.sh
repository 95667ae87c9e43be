# Sourced by the other scripts: progress on each step, and a failure that says what to do.
step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
# fail WHAT HINT…
fail() {
  printf '\033[31merror:\033[0m %s\n' "$1" >&2
  shift
  for hint in "$@"; do printf '       %s\n' "$hint" >&2; done
  exit 1
}
