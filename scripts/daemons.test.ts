import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));

describe("scripts/daemons.sh", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "daemons-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** Runs lines of a script that has sourced it, in `dir`. */
  function run(lines: string, environment: Record<string, string> = {}): { status: number | null; said: string } {
    const PATH = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
    const { status, stdout, stderr } = spawnSync(
      "bash",
      ["-c", `set -euo pipefail; . ${scripts}/report.sh; . ${scripts}/daemons.sh; ${lines}`],
      { cwd: dir, encoding: "utf8", env: { ...process.env, PATH, LONGSHORE_HOME: dir, ...environment } },
    );
    return { status, said: stdout + stderr };
  }

  it("a configuration that would not start is told of before anything is touched; what is not served is named", () => {
    const dockerd = join(dir, "dockerd");
    writeFileSync(dockerd, '#!/bin/sh\necho "WARNING: builder is not served" >&2\necho "configuration OK" >&2\n', {
      mode: 0o755,
    });
    assert.deepEqual(run("check_configuration ./dockerd -D"), {
      status: 0,
      said: "    warning: builder is not served\n",
    });
    writeFileSync(dockerd, '#!/bin/sh\necho "invalid log format: $1$2" >&2\nexit 1\n', { mode: 0o755 });
    const { status, said } = run("check_configuration ./dockerd -D; echo went on");
    assert.equal(status, 1);
    assert.match(said, /nothing was changed\n +invalid log format: -D--validate\n$/);
  });

  it("a daemon that ends at once is noticed at once, with the lines that it has logged itself", () => {
    writeFileSync(join(dir, "log"), "an older line\n");
    const before = performance.now();
    const { status, said } = run("start_daemon dockerd pidfile log socket sh -c 'echo its own line >&2; exit 7'");
    assert.equal(status, 1);
    assert.ok(performance.now() - before < 10_000);
    assert.match(said, /its own line\n.*dockerd ended at once \(exit 7\)/);
    assert.doesNotMatch(said, /older/);
  });

  /** Whether a process runs no more; what nobody has reaped yet does not. */
  const hasEnded = (pid: string): boolean => {
    try {
      return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return true;
    }
  };

  it("a daemon has stopped when it has ended, though nobody reaps it, as in a container whose first process does not", () => {
    const before = performance.now();
    const { status, said } = run(
      `mkdir -p $state
      bash -c 'bash -c "exec -a apps/engine/build/dockerd.mjs sleep 60" & echo $! >'$state'/dockerd.pid; exec sleep 60' >/dev/null 2>&1 & parent=$!
      until alive $state/dockerd.pid; do sleep 0.01; done
      stop_daemon $state/dockerd.pid dockerd || true
      kill $parent`,
    );
    assert.deepEqual([status, said], [0, "    dockerd stopped\n"]);
    assert.ok(performance.now() - before < 20_000);
  });

  it("a daemon that never answers is ended", async () => {
    const { status, said } = run(
      "start_seconds=1; start_daemon dockerd pidfile log socket sh -c 'echo $$ >own; exec sleep 60'",
    );
    assert.equal(status, 1);
    assert.match(said, /dockerd does not answer/);
    const pid = readFileSync(join(dir, "own"), "utf8").trim();
    for (let tries = 0; tries < 100 && !hasEnded(pid); tries++) await sleep(50);
    assert.ok(hasEnded(pid));
  });

  it("a daemon counts as started when it answers and its pid is known", () => {
    const serve = "require('net').createServer((s) => s.end()).listen('socket')";
    const { status, said } = run(
      `start_daemon containerd pidfile log socket node -e "${serve}"; cat pidfile; kill $(cat pidfile)`,
    );
    assert.equal(status, 0, said);
    assert.match(said, /^\d+\n$/);
  });

  /** A release of both daemons in `dir`, as builds make it; `text` is what its dockerd does. */
  function release(text: string): void {
    const serve = (flag: string, then: string): string =>
      `const path = process.argv[process.argv.indexOf("${flag}") + 1].replace("unix://", ""); require("fs").rmSync(path, { force: true }); require("net").createServer((s) => s.end()).listen(path); ${then}`;
    for (const [app, name, program] of [
      ["engine", "dockerd", text.replace("SERVE", serve("-H", "pid()"))],
      ["containerd", "containerd", serve("--address", "")],
    ] as const) {
      const pid =
        'const pid = () => require("fs").writeFileSync(process.argv[process.argv.indexOf("--pidfile") + 1], String(process.pid));';
      mkdirSync(join(dir, `apps/${app}/build`), { recursive: true });
      mkdirSync(join(dir, "bin"), { recursive: true });
      const file = join(dir, `apps/${app}/build/${name}.cjs`);
      writeFileSync(`${file}.new`, `${pid} ${program}`);
      renameSync(`${file}.new`, file);
      writeFileSync(
        join(dir, "bin", name),
        `#!/bin/sh\nexec node "$(dirname "$0")/../apps/${app}/build/${name}.cjs" "$@"\n`,
        {
          mode: 0o755,
        },
      );
    }
  }

  const replace =
    "mkdir -p $state $logs; stop_daemon $state/dockerd.pid dockerd; stop_daemon $state/containerd.pid containerd; (start_daemons .) || { go_back; exit 1; }";
  const ending = "stop_daemon $state/dockerd.pid dockerd; stop_daemon $state/containerd.pid containerd";

  it("a release that does not start leaves the one before running, which says so", () => {
    release("SERVE");
    const first = run(`mkdir -p $state $logs; (start_daemons .); keep_release one; echo one >$state/version`);
    assert.equal(first.status, 0, first.said);
    try {
      release('console.error("a store of a later version"); process.exit(3)');
      const { status, said } = run(replace);
      assert.equal(status, 1);
      assert.match(said, /a store of a later version\n.*dockerd ended at once \(exit 3\)/);
      assert.match(said, /the new version does not start \(see above\); the one that ran before runs again/);
      assert.deepEqual(
        run("answers $socket && answers $containerd_socket && alive $state/dockerd.pid && cat $state/version"),
        {
          status: 0,
          said: "one\n",
        },
      );
      assert.match(
        readFileSync(`/proc/${readFileSync(join(dir, "run/dockerd.pid"), "utf8")}/cmdline`, "latin1"),
        /previous/,
      );
      // One that starts takes its place.
      release("SERVE");
      const third = run(`${replace}; keep_release three; cat $kept/version`);
      assert.equal(third.status, 0, third.said);
      assert.match(third.said, /^three$/m);
    } finally {
      run(ending);
    }
  });

  it("where nothing was kept, or what was kept does not start either, no engine runs, and that is said", () => {
    release("process.exit(4)");
    assert.match(run(replace).said, /no engine runs now: the version that ran before was not kept/);
    run("keep_release zero");
    const { status, said } = run(replace);
    assert.equal(status, 1);
    assert.match(said, /the version that ran before does not start either: no engine runs now/);
    run(ending);
  });

  it("what systemd's units run is left to systemd", () => {
    mkdirSync(join(dir, "proc/7"), { recursive: true });
    writeFileSync(join(dir, "pid"), "7");
    const cgroup = (text: string): void => writeFileSync(join(dir, "proc/7/cgroup"), text);
    const unit = (): string => run("unit_of pid || echo none", { proc: join(dir, "proc") }).said.trim();
    cgroup("0::/system.slice/longshore.service\n");
    assert.equal(unit(), "longshore.service");
    cgroup("3:cpu,cpuacct:/\n1:name=systemd:/system.slice/longshore-containerd.service/sub\n0::/\n");
    assert.equal(unit(), "longshore-containerd.service");
    cgroup("0::/user.slice/user-0.slice/session-1.scope\n");
    assert.equal(unit(), "none");
    cgroup("0::/system.slice/longshore.service\n");
    mkdirSync(join(dir, "run"));
    writeFileSync(join(dir, "run/dockerd.pid"), "7");
    const { status, said } = run("LONGSHORE_HOME=; leave_to_systemd 'systemctl restart longshore'; echo went on", {
      proc: join(dir, "proc"),
    });
    assert.equal(status, 1);
    assert.match(
      said,
      /systemd runs the daemons \(longshore.service\); nothing was changed\n +systemctl restart longshore\n$/,
    );
  });
});
