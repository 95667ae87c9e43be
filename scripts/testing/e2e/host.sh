#!/bin/sh
# host.sh DIR COMMAND…: becomes COMMAND on a host of its own, as far as tests can tell. Called in new network, mount and
# process namespaces, it gives them a loopback, a /sys, a /run, a /tmp and a name server; host.ts brings the way out (tap0).
set -eu
dir=$1
shift
mount --make-rshared / # containers propagate mounts, but not to the machine
mkdir -p "$dir/sys" "$dir/tmp"
chmod 1777 "$dir/tmp"
mount -t sysfs sysfs "$dir/sys"
mount --rbind /sys/fs/cgroup "$dir/sys/fs/cgroup"
mount --rbind "$dir/sys" /sys
mount -t tmpfs -o mode=755 tmpfs /run # stock shims keep their state there, by the container's name
echo "nameserver 10.0.2.3" >"$dir/resolv.conf"
resolv=$(readlink -m /etc/resolv.conf)
[ -e "$resolv" ] || { mkdir -p "${resolv%/*}" && : >"$resolv"; }
mount --bind "$dir/resolv.conf" "$resolv"
mount --bind "$dir/tmp" /tmp
ip link set lo up
until ip -4 route show default 2>/dev/null | grep -q tap0; do sleep 0.05; done
exec "$@"
