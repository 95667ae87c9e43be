import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { Terminal } from "../engine/terminal.ts";
import { repository } from "../engine/tools.ts";
import { exec } from "../host/exec.ts";
import { until } from "../host/until.ts";

describe("the engine on crun", () => {
  const longshore = new Longshore({ bridge: `lsc${process.pid}`, address: `10.214.${process.pid % 250}.1/24` });
  const bin = mkdtempSync("/tmp/crun-");
  const calls = join(bin, "calls");
  const crun = join(bin, "my crun");
  const runtimes = {
    crun: { path: crun, runtimeArgs: ["--cgroup-manager=disabled", "--log-format", "json"] },
    plain: { path: crun },
    typed: { runtimeType: "io.containerd.longshore.v2", options: { BinaryName: crun, Root: join(bin, "state") } },
    gone: { path: "/nowhere/crun" },
    goneWithArgs: { path: "/nowhere/crun", runtimeArgs: ["x"] },
  };
  const docker = (...args: string[]) => longshore.docker(args);
  const called = (): string => (existsSync(calls) ? readFileSync(calls, "utf8") : "");

  /** Writes daemon.json and starts the engine with it; containers go on meanwhile. */
  async function configure(more: object): Promise<void> {
    await longshore.engine.stop();
    writeFileSync(join(longshore.dir, "daemon.json"), JSON.stringify({ runtimes, ...more }));
    await longshore.engine.start();
  }

  /** What a daemon with this configuration says before it gives up. */
  async function refusal(config: object): Promise<string> {
    const file = join(bin, "refused.json");
    writeFileSync(file, JSON.stringify(config));
    const dir = join(bin, "refused");
    const { code, stderr } = await exec(join(repository, "bin/dockerd"), [
      "--config-file",
      file,
      "--longshore-config-file",
      "/dev/null",
      "--data-root",
      dir,
      "--exec-root",
      dir,
      "--pidfile",
      join(dir, "pid"),
      "-H",
      `unix://${dir}/s`,
    ]);
    assert.deepEqual([code, existsSync(dir)], [1, false], stderr);
    return stderr.trim();
  }

  before(async function () {
    this.timeout(120_000);
    // crun refuses machines that have both versions of cgroups mounted, so it is shown the first alone;
    // Debian's refuses specs of any version but 1.0.
    writeFileSync(
      crun,
      `#!/bin/sh\necho "$@" >>${calls}\ncase "$*" in *" create "*) sed -i 's/"ociVersion": *"[0-9.]*"/"ociVersion":"1.0.2"/' config.json;; esac\nexec unshare --mount sh -c 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"' crun "$@"\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(longshore.dir, "daemon.json"), JSON.stringify({ runtimes, "default-runtime": "crun" }));
    await longshore.start();
    await importBusybox(longshore);
  });

  afterEach(async () => {
    const all = await longshore.ok(["ps", "-aq"]);
    if (all !== "") await longshore.ok(["rm", "-f", ...all.split("\n")]);
  });

  after(async () => {
    try {
      await longshore.dispose();
    } finally {
      rmSync(bin, { recursive: true, force: true });
    }
  });

  it("output, exit codes and logs, with the runtime's arguments in front", async () => {
    const result = await docker("run", "--name", "one", "busybox", "sh", "-c", "echo out; echo err >&2; exit 5");
    assert.deepEqual(result, { code: 5, stdout: "out\n", stderr: "err\n" });
    assert.deepEqual(await docker("logs", "one"), { code: 0, stdout: "out\n", stderr: "err\n" });
    assert.match(called(), /^--cgroup-manager=disabled --log-format json --root .* create /m);
    assert.equal(await longshore.ok(["inspect", "-f", "{{.HostConfig.Runtime}}", "one"]), "crun");
    // The CLI knows runc's words alone and ends with 125: the engine knows better.
    for (const [command, code, reason] of [
      ["nothing-there", "127", /executable file .*not found in \$PATH/],
      ["/etc/passwd", "126", /Permission denied/],
    ] as const) {
      assert.match((await docker("run", "--name", `two${code}`, "busybox", command)).stderr, reason);
      assert.equal(await longshore.ok(["inspect", "-f", "{{.State.ExitCode}}", `two${code}`]), code);
    }
  });

  it("a terminal, and input", async () => {
    const terminal = new Terminal(
      longshore,
      ["run", "--rm", "-it", "busybox", "sh", "-c", "tty; stty size; read word; echo got $word; exit 3"],
      { columns: 91, rows: 33 },
    );
    try {
      await terminal.prints(/pts\/0[^]*33 91/);
      terminal.type("typed\r");
      await terminal.prints("got typed");
      assert.equal(await terminal.exited, 3);
    } finally {
      terminal.close();
    }
    assert.deepEqual(await longshore.docker(["run", "--rm", "-i", "busybox", "cat"], { input: "piped" }), {
      code: 0,
      stdout: "piped",
      stderr: "",
    });
  });

  it("exec, stop, kill, start again, restart of the engine", async () => {
    await longshore.ok([
      "run",
      "-d",
      "--name",
      "one",
      "busybox",
      "sh",
      "-c",
      "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    await until("it is up", async () => (await longshore.ok(["logs", "one"])) === "up");
    assert.deepEqual(await docker("exec", "one", "sh", "-c", "echo inside; exit 9"), {
      code: 9,
      stdout: "inside\n",
      stderr: "",
    });
    assert.equal((await docker("exec", "one", "nothing-there")).code, 127);
    const terminal = new Terminal(longshore, ["exec", "-it", "one", "tty"]);
    try {
      await terminal.prints("/dev/pts/");
      assert.equal(await terminal.exited, 0);
    } finally {
      terminal.close();
    }
    await longshore.engine.kill();
    await longshore.engine.start();
    assert.equal((await docker("exec", "one", "true")).code, 0);
    const exitCode = (): Promise<string> =>
      longshore.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "one"]);
    await longshore.ok(["stop", "one"]);
    assert.equal(await exitCode(), "exited 7");
    await longshore.ok(["start", "one"]);
    await longshore.ok(["kill", "one"]);
    await until("it has ended", async () => (await exitCode()) === "exited 137");
  });

  it("docker info tells the runtimes; the programs that add arguments are the owner's alone", async () => {
    const info = JSON.parse(await longshore.ok(["info", "--format", "{{json .}}"])) as {
      Runtimes: Record<string, { status?: object }>;
      DefaultRuntime: string;
    };
    const stock = { path: "runc" };
    const shown = Object.entries(info.Runtimes).map(([name, { status, ...rest }]) => {
      if (status !== undefined) assert.deepEqual(Object.keys(status), ["org.opencontainers.runtime-spec.features"]);
      return [name, rest];
    });
    assert.ok(info.Runtimes["runc"]?.status);
    assert.deepEqual(Object.fromEntries(shown), {
      ...runtimes,
      typed: {},
      runc: stock,
      "io.containerd.runc.v2": stock,
    });
    assert.equal(info.DefaultRuntime, "crun");
    const dir = join(longshore.dir, "data/runtimes");
    const names = readdirSync(dir).toSorted();
    assert.deepEqual(
      names.map((name) => name.replace(/\.[0-9a-f]{32}$/, "")),
      ["crun", "goneWithArgs"],
    );
    assert.deepEqual(
      names.map((name) => statSync(join(dir, name)).mode & 0o777),
      [0o700, 0o700],
    );
  });

  it("--runtime: by path, by the shim's type and options, by the shim's name", async () => {
    for (const [name, pattern] of [
      ["plain", new RegExp(`^--root ${longshore.dir}/run/docker/runtime-runc/moby --log`, "m")],
      ["typed", new RegExp(`^--root ${bin}/state/moby --log`, "m")],
      ["runc", /^$/],
      ["io.containerd.longshore.v2", /^$/],
    ] as const) {
      rmSync(calls, { force: true });
      assert.deepEqual(await docker("run", "--rm", "--runtime", name, "busybox", "echo", name), {
        code: 0,
        stdout: `${name}\n`,
        stderr: "",
      });
      assert.match(called(), pattern, name);
    }
  });

  it("runtimes that do not exist", async () => {
    const unknown = async (name: string, reason: string): Promise<void> => {
      const { code, stderr } = await docker("create", "--runtime", name, "busybox");
      assert.deepEqual([code, stderr.trim()], [1, `Error response from daemon: ${reason}`]);
    };
    for (const name of ["nope", "/nope/shim", ".foo", "a/b.c"])
      await unknown(name, `unknown or invalid runtime name: ${name}`);
    await unknown(
      "goneWithArgs",
      'error while looking up the specified runtime path: exec: "/nowhere/crun": stat /nowhere/crun: no such file or directory',
    );
    const failing = async (name: string, code: number, reason: RegExp): Promise<void> => {
      await longshore.ok(["create", "--name", "one", "--runtime", name, "busybox", "true"]);
      const { stderr } = await docker("start", "one");
      assert.match(stderr, reason);
      assert.equal(await longshore.ok(["inspect", "-f", "{{.State.ExitCode}}", "one"]), String(code));
      await longshore.ok(["rm", "one"]);
    };
    await failing(
      "io.containerd.foo.v1",
      128,
      /failed to create task for container: failed to start shim: failed to resolve runtime path: runtime "io.containerd.foo.v1" binary not installed "containerd-shim-foo-v1": file does not exist/,
    );
    await failing(
      "gone",
      127,
      /OCI runtime create failed: unable to retrieve OCI runtime error \(open \S+: no such file or directory\): fork\/exec \/nowhere\/crun: no such file or directory/,
    );
  });

  it("a change of the default is for new containers; one whose runtime is gone does not start", async () => {
    await longshore.ok(["run", "-d", "--name", "one", "busybox", "sleep", "300"]);
    await configure({ runtimes: { plain: runtimes.plain }, "default-runtime": "plain" });
    assert.equal((await docker("exec", "one", "true")).code, 0, "what runs keeps its runtime");
    await longshore.ok(["kill", "one"]);
    assert.match((await docker("start", "one")).stderr, /unknown or invalid runtime name: crun/);
    assert.equal(await longshore.ok(["run", "--name", "two", "busybox", "echo", "hi"]), "hi");
    assert.equal(await longshore.ok(["inspect", "-f", "{{.HostConfig.Runtime}}", "two"]), "plain");
    await configure({ "default-runtime": "crun" });
    assert.equal((await docker("start", "one")).code, 0);
  });

  it("configurations that make no sense are refused before anything is touched", async () => {
    assert.equal(
      await refusal({ "default-runtime": "nope" }),
      "failed to start daemon: specified default runtime 'nope' does not exist",
    );
    assert.equal(
      await refusal({ runtimes: { x: {} } }),
      "failed to start daemon: runtime x: either a runtimeType or a path must be configured",
    );
    assert.equal(
      await refusal({ "exec-opts": ["native.cgroupdriver=foo"] }),
      "failed to start daemon: native.cgroupdriver option foo not supported",
    );
  });

  it("native.cgroupdriver is told, and systemd takes slices alone", async () => {
    await configure({ "exec-opts": ["native.cgroupdriver=systemd"] });
    assert.equal(await longshore.ok(["info", "--format", "{{.CgroupDriver}}"]), "systemd");
    assert.match(
      (await docker("create", "--cgroup-parent", "/a", "busybox")).stderr,
      /cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"/,
    );
    rmSync(calls, { force: true });
    await docker("run", "--rm", "--runtime", "plain", "busybox", "true");
    assert.match(called(), / --systemd-cgroup create /);
    await configure({ "default-runtime": "crun" });
    assert.equal(await longshore.ok(["info", "--format", "{{.CgroupDriver}}"]), "cgroupfs");
  });
});
