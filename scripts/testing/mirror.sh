# Sourced. Needs report.sh.

# debian_mirror: the Debian mirror that this machine's apt is configured with
debian_mirror() {
  local found
  found=$(configured_mirror) || { apt-get update >&2; found=$(configured_mirror); } ||
    fail "no Debian mirror is configured on this machine" "the tests take what they need from Debian's packages"
  echo "$found"
}

configured_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$'; }
