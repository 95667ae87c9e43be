# Sourced by start and stop: where the daemons of this machine live. Needs report.sh.
# With LONGSHORE_HOME they are daemons of their own beside those: all that they keep lies in that folder,
# and its daemon.json (and engine.json, if there is one) configures them; it has to name another bridge than the machine's.
if [ -n "${LONGSHORE_HOME:-}" ]; then
  home=$LONGSHORE_HOME
  state=$home/run logs=$home/log kept=$home/previous socket=$home/docker.sock containerd_socket=$home/containerd.sock
  own=$home/engine.json
  [ -f "$own" ] || own=/dev/null
  containerd_args=(--root "$home/containerd" --state "$state/containerd" --address "$containerd_socket")
  dockerd_args=(-H "unix://$socket" --containerd "$containerd_socket" --data-root "$home/data" --exec-root "$state/docker" --config-file "$home/daemon.json" --longshore-config-file "$own")
else
  state=/run/longshore
  logs=/var/log/longshore
  kept=/var/lib/longshore-previous
  socket=/var/run/docker.sock
  containerd_socket=$state/containerd/containerd.sock
  containerd_args=() dockerd_args=()
fi

# alive PIDFILE: whether the process that the file names runs and is a daemon of ours
alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qE 'apps/(engine|containerd)/(src/main|build/)'
}

# ended PID: whether a process runs no more; what nobody has reaped yet does not
ended() {
  ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null
}

# answers SOCKET: whether anything accepts connections there
answers() {
  node -e 'const s=require("net").connect(process.argv[1]);s.on("connect",()=>process.exit(0));s.on("error",()=>process.exit(1))' "$1"
}

# unit_of PIDFILE: the unit of contrib/systemd that runs the daemon, if one does
unit_of() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  sed -nE 's#^[0-9]+:[^:]*:.*/(longshore[^/]*\.service)(/.*)?$#\1#p' "${proc:-/proc}/$pid/cgroup" 2>/dev/null | grep -m 1 .
}

# leave_to_systemd HINT…: fails when systemd's units run the daemons, or are about to
leave_to_systemd() {
  local unit
  [ -z "${LONGSHORE_HOME:-}" ] || return 0
  unit=$(unit_of $state/dockerd.pid) ||
    { command -v systemctl >/dev/null && for unit in longshore.service longshore-containerd.service; do systemctl is-active --quiet "$unit" 2>/dev/null && break; unit=; done; [ -n "${unit:-}" ]; } ||
    return 0
  fail "systemd runs the daemons ($unit); nothing was changed" "$@"
}

# check_configuration DOCKERD ARGUMENT…: fails when a dockerd with these arguments would not start; says what it warns of
check_configuration() {
  local said
  if said=$("$@" --validate 2>&1); then
    sed -n 's/^WARNING: //p' <<<"$said" | while IFS= read -r line; do note "warning: $line"; done
  else
    fail "the engine cannot start as it is configured; nothing was changed" "$said"
  fi
}

# start_daemon NAME PIDFILE LOG SOCKET COMMAND…: in the background, until its socket answers and PIDFILE names it.
# One that ends before that, or takes longer than 30 s, is a failure that shows what it has just logged.
start_daemon() {
  local name=$1 pidfile=$2 log=$3 socket=$4 from pid status=0 deadline=$((SECONDS + ${start_seconds:-30}))
  shift 4
  from=$(stat -c %s "$log" 2>/dev/null || echo 0)
  setsid "$@" </dev/null >>"$log" 2>&1 &
  pid=$!
  until answers "$socket" && [ "$(cat "$pidfile" 2>/dev/null || echo $pid)" = $pid ]; do
    if ! kill -0 $pid 2>/dev/null; then
      wait $pid || status=$?
      tail -c +$((from + 1)) "$log" | tail -n 15 >&2
      fail "$name ended at once (exit $status)" "its log: $log"
    fi
    if [ $SECONDS -ge $deadline ]; then
      kill -TERM $pid 2>/dev/null || true
      tail -c +$((from + 1)) "$log" | tail -n 15 >&2
      fail "$name does not answer" "its log: $log"
    fi
    sleep 0.1
  done
  [ -s "$pidfile" ] || echo $pid >"$pidfile"
}

# start_daemons ROOT: those of both that do not run, of a checkout or of a release that was kept
start_daemons() {
  alive $state/containerd.pid || { rm -f $state/containerd.pid; start_daemon containerd $state/containerd.pid $logs/containerd.log $containerd_socket "$1/bin/containerd" "${containerd_args[@]}"; }
  alive $state/dockerd.pid || { rm -f $state/dockerd.pid; start_daemon dockerd $state/dockerd.pid $logs/dockerd.log $socket "$1/bin/dockerd" "${dockerd_args[@]}" --pidfile $state/dockerd.pid; }
}

# keep_release VERSION: keeps the programs of the daemons that run now, for go_back. Builds replace files, so that a link keeps the old one.
keep_release() {
  local new=$kept.new file
  rm -rf "$new"
  for file in bin/dockerd bin/containerd scripts/launch.sh scripts/bundle.sh apps/{engine,containerd,shim}/build/* scripts/toolchain/node_modules/node-linux-*/bin/node; do
    [ -e "$file" ] || continue
    mkdir -p "$new/${file%/*}"
    ln -L "$file" "$new/$file" 2>/dev/null || cp -pL "$file" "$new/$file"
  done
  echo "$1" >"$new/version"
  rm -rf "$kept"
  mv "$new" "$kept"
}

# go_back: starts the release that ran before again, since the one that was to replace it does not start. Fails in any case.
go_back() {
  [ -e "$kept/version" ] || fail "no engine runs now: the version that ran before was not kept"
  step "Going back to the version that ran before"
  stop_daemon $state/dockerd.pid dockerd
  stop_daemon $state/containerd.pid containerd
  (start_daemons "$kept") || fail "the version that ran before does not start either: no engine runs now"
  cat "$kept/version" >$state/version
  fail "the new version does not start (see above); the one that ran before runs again, from $kept"
}

# stop_daemon PIDFILE NAME: ends it with SIGTERM and waits
stop_daemon() {
  alive "$1" || { rm -f "$1"; return 0; }
  local pid
  pid=$(cat "$1")
  kill -TERM "$pid"
  for _ in $(seq 300); do
    ! ended "$pid" || { note "$2 stopped"; rm -f "$1"; return 0; }
    sleep 0.1
  done
  fail "$2 (pid $pid) did not stop within 30 s"
}
