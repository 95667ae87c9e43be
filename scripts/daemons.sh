# Sourced by start and stop: where the daemons of this machine live. Needs report.sh.
# With LONGSHORE_HOME they are daemons of their own beside those: all that they keep lies in that folder,
# and its daemon.json configures them (it has to name another bridge than the machine's).
if [ -n "${LONGSHORE_HOME:-}" ]; then
  home=$LONGSHORE_HOME
  state=$home/run logs=$home/log socket=$home/docker.sock containerd_socket=$home/containerd.sock
  containerd_args=(--root "$home/containerd" --state "$state/containerd" --address "$containerd_socket")
  dockerd_args=(-H "unix://$socket" --containerd "$containerd_socket" --data-root "$home/data" --exec-root "$state/docker" --config-file "$home/daemon.json")
else
  state=/run/longshore
  logs=/var/log/longshore
  socket=/var/run/docker.sock
  containerd_socket=$state/containerd/containerd.sock
  containerd_args=() dockerd_args=()
fi

# alive PIDFILE: whether the process that the file names runs and is a daemon of ours
alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qE 'apps/(engine|containerd)/(src/main|build/)'
}

# answers SOCKET: whether anything accepts connections there
answers() {
  node -e 'const s=require("net").connect(process.argv[1]);s.on("connect",()=>process.exit(0));s.on("error",()=>process.exit(1))' "$1"
}

# wait_until SECONDS WHAT LOG COMMAND…
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2 log=$3
  shift 3
  until "$@"; do
    [ $SECONDS -lt $deadline ] || { tail -n 15 "$log" >&2; fail "$what does not answer" "its log: $log"; }
    sleep 0.1
  done
}

# stop_daemon PIDFILE NAME: ends it with SIGTERM and waits
stop_daemon() {
  alive "$1" || { rm -f "$1"; return 0; }
  local pid
  pid=$(cat "$1")
  kill -TERM "$pid"
  for _ in $(seq 300); do
    [ -d "/proc/$pid" ] || { note "$2 stopped"; rm -f "$1"; return 0; }
    sleep 0.1
  done
  fail "$2 (pid $pid) did not stop within 30 s"
}
