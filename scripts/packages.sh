# Sourced: installs Debian packages that are missing. Needs report.sh.
apt_updated=
apt_get() {
  if [ -z "$apt_updated" ]; then
    apt-get update -qq >&2 || fail "apt-get update failed" "check /etc/apt/sources.list and the network"
    apt_updated=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends "$@" >&2
}

# install_packages COMMAND-OR-FILE:PACKAGE…  installs each package whose command or file is missing
install_packages() {
  local pair missing=()
  for pair in "$@"; do
    case ${pair%%:*} in
      /*) [ -e "${pair%%:*}" ] || missing+=("${pair#*:}") ;;
      *) PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}") ;;
    esac
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}" "this machine has no apt-get: install them by hand and run this again"
  note "installing ${missing[*]}"
  apt_get install "${missing[@]}" >/dev/null || fail "apt-get could not install: ${missing[*]}"
}

# library NAME: where the dynamic linker finds it, or would if Debian's package of it were installed
library() {
  local found
  found=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p | sed -nE "s|^\s*$1 .*=> (/.*)|\1|p" | head -n 1)
  echo "${found:-/usr/lib/$(uname -m)-linux-gnu/$1}"
}

# The stock docker CLI alone. Where Debian has it only together with the daemon (docker.io), the
# daemon must not be installed, since it would take the socket: only the client is unpacked.
install_docker_cli() {
  note "installing the docker CLI"
  apt_get install docker-cli >/dev/null 2>&1 && return
  local dir
  dir=$(mktemp -d)
  chmod 755 "$dir"
  (cd "$dir" && apt_get download docker.io >/dev/null && dpkg-deb -x docker.io_*.deb x) ||
    fail "no docker CLI could be installed" "put one on PATH and run this again"
  install -m 755 "$dir/x/usr/bin/docker" /usr/local/bin/docker
  rm -rf "$dir"
}
