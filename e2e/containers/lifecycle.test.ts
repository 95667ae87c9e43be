import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { shared } from "../engine/shared.ts";
import { tool } from "../engine/tools.ts";
import { until } from "../host/until.ts";

const state = (name: string, field: string): Promise<string> =>
  shared.ok(["inspect", "-f", `{{.State.${field}}}`, name]);

describe("a container's life", () => {
  const name = "e2e-life";
  afterEach(() => shared.docker(["rm", "-f", "-v", name, `${name}-2`]));

  it("create, start, wait, inspect, rm", async () => {
    const id = await shared.ok(["create", "--name", name, "busybox", "sh", "-c", "exit 3"]);
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(await state(name, "Status"), "created");
    assert.equal(await shared.ok(["inspect", "-f", "{{json .Config.Volumes}}", name]), "null");
    assert.equal(await shared.ok(["start", name]), name);
    assert.equal(await shared.ok(["wait", name]), "3");
    assert.equal(await state(name, "Status"), "exited");
    assert.equal(
      await shared.ok(["inspect", "-f", "{{.Id}} {{.Name}} {{.Path}} {{json .Args}}", name]),
      `${id} /${name} sh ["-c","exit 3"]`,
    );
    assert.equal(await shared.ok(["rm", name]), name);
    const gone = await shared.docker(["inspect", name]);
    assert.equal(gone.stderr.trim(), `Error: No such object: ${name}`);
  });

  it("lists what came before and after, at once and in order, and only what runs without -a", async () => {
    const names = ["a", "b", "c", "d", "e"].map((letter) => `e2e-order-${letter}`);
    const [first = "", second = "", , , last = ""] = names;
    const listed = async (...args: string[]): Promise<string> =>
      (await shared.ok(["ps", "--filter", "name=e2e-order-", "--format", "{{.Names}}", ...args])).replaceAll("\n", " ");
    try {
      for (const each of names) {
        await shared.ok(["create", "--name", each, "busybox", "true"]);
        if (each !== first)
          assert.equal(await listed("-a", "--filter", `since=${names[names.indexOf(each) - 1] ?? ""}`), each);
      }
      assert.equal(await listed("-a", "--filter", `since=${second}`), names.slice(2).toReversed().join(" "));
      assert.equal(await listed("-a", "--filter", `before=${second}`), first);
      assert.equal(await listed("-n", "2"), names.slice(3).toReversed().join(" "));
      for (const filter of [`since=${first}`, `before=${last}`, "exited=0"])
        assert.equal(await listed("--filter", filter), "", filter);
    } finally {
      await shared.docker(["rm", "-f", ...names]);
    }
  });

  it("stop sends the stop signal, then SIGKILL after the time", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      'trap "exit 42" TERM; while :; do sleep 0.1; done',
    ]);
    await shared.ok(["stop", name]);
    assert.equal(await state(name, "ExitCode"), "42");
    await shared.ok([
      "run",
      "-d",
      "--name",
      `${name}-2`,
      "--stop-signal",
      "USR1",
      "busybox",
      "sh",
      "-c",
      'trap "" USR1; while :; do sleep 0.1; done',
    ]);
    await shared.ok(["stop", "-t", "1", `${name}-2`]);
    assert.equal(await state(`${name}-2`, "ExitCode"), "137");
  });

  it("stop ends a paused container at once, however little time it has", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "100"]);
    for (let round = 0; round < 3; round++) {
      await shared.ok(["pause", name]);
      await shared.ok(["stop", "-t", "0", name]);
      assert.equal(await state(name, "Status"), "exited");
      await shared.ok(["start", name]);
    }
  });

  it("--rm removes what could not be started, whatever the reason", async () => {
    const id = await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "100"]);
    const { code, stderr } = await shared.docker([
      "run",
      "--rm",
      "--name",
      `${name}-2`,
      "--ipc",
      `container:${name}`,
      "busybox",
      "true",
    ]);
    assert.equal(code, 125);
    assert.match(
      stderr,
      new RegExp(
        `failed to join IPC namespace: container ${id}: non-shareable IPC \\(hint: use IpcMode:shareable for the donor container\\)`,
      ),
    );
    assert.equal(await shared.ok(["ps", "-aq", "--filter", `name=${name}-2`]), "");
  });

  it("kill with a signal, restart, pause and unpause", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      'trap "echo got" HUP; echo up; while :; do sleep 0.1; done',
    ]);
    await until("it is up", async () => (await shared.ok(["logs", name])) === "up");
    await shared.ok(["kill", "-s", "HUP", name]);
    await until("the signal arrives", async () => (await shared.ok(["logs", name])).includes("got"));
    const pid = await state(name, "Pid");
    await shared.ok(["restart", "-t", "0", name]);
    assert.notEqual(await state(name, "Pid"), pid);
    await shared.ok(["pause", name]);
    assert.equal(await state(name, "Status"), "paused");
    assert.match(
      await shared.ok(["ps", "--filter", `name=^${name}$`, "--format", "{{.Status}}"]),
      /^Up .* \(Paused\)$/,
    );
    await shared.ok(["unpause", name]);
    assert.equal(await state(name, "Status"), "running");
    await shared.ok(["kill", name]);
    await until("it is dead", async () => (await state(name, "ExitCode")) === "137");
  });

  it("rm refuses a running container, -f ends it", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "300"]);
    const refused = await shared.docker(["rm", name]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /cannot remove container "e2e-life": container is running: stop the container before removing or force remove/,
    );
    await shared.ok(["rm", "-f", name]);
  });

  it("restart policies start it again, and stop ends that", async () => {
    await shared.ok(["run", "-d", "--name", name, "--restart", "on-failure:2", "busybox", "sh", "-c", "exit 1"]);
    await until("it gave up after two restarts", async () => (await state(name, "Status")) === "exited");
    assert.equal(await shared.ok(["inspect", "-f", "{{.RestartCount}}", name]), "2");
    await shared.ok(["run", "-d", "--name", `${name}-2`, "--restart", "always", "busybox", "sh", "-c", "sleep 0.2"]);
    await until(
      "it was started again",
      async () => Number(await shared.ok(["inspect", "-f", "{{.RestartCount}}", `${name}-2`])) >= 1,
    );
    await shared.ok(["stop", "-t", "0", `${name}-2`]);
    assert.equal(await state(`${name}-2`, "Status"), "exited");
  });

  it("rename, names in use, lookup by prefix", async () => {
    const id = await shared.ok(["create", "--name", name, "busybox"]);
    const taken = await shared.docker(["create", "--name", name, "busybox"]);
    assert.equal(
      taken.stderr.trim().split("\n")[0],
      `Error response from daemon: Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
    await shared.ok(["rename", name, `${name}-2`]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.Name}}", id.slice(0, 10)]), `/${name}-2`);
  });

  it("ps filters and formats", async () => {
    await shared.ok(["create", "--name", name, "--label", "color=blue", "busybox", "true"]);
    await shared.ok([
      "run",
      "-d",
      "--name",
      `${name}-2`,
      "--label",
      "color=red",
      "-p",
      "127.0.0.1::80",
      "busybox",
      "sleep",
      "300",
    ]);
    const ps = (...filters: string[]): Promise<string> =>
      shared.ok([
        "ps",
        "-a",
        "--filter",
        "label=color",
        "--format",
        "{{.Names}}",
        ...filters.flatMap((filter) => ["--filter", filter]),
      ]);
    assert.equal(await ps(), `${name}-2\n${name}`);
    assert.equal(await ps("status=created"), name);
    assert.equal(await ps("label=color=red"), `${name}-2`);
    assert.equal(await ps(`name=^${name}$`), name);
    assert.equal(await ps("status=running", "ancestor=busybox"), `${name}-2`);
    assert.match(
      await shared.ok([
        "ps",
        "--filter",
        `name=${name}-2`,
        "--format",
        "{{.Image}}|{{.Command}}|{{.Status}}|{{.Ports}}",
      ]),
      /^busybox\|"sleep 300"\|Up .*\|127\.0\.0\.1:\d+->80\/tcp$/,
    );
    assert.match((await shared.docker(["ps", "--filter", "nonsense=1"])).stderr, /invalid filter 'nonsense'/);
  });

  it("update changes limits and restart policy of a running container", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "300"]);
    await shared.ok(["update", "--memory", "48m", "--memory-swap", "48m", "--restart", "unless-stopped", name]);
    assert.equal(
      await shared.ok(["inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}", name]),
      `${48 << 20} unless-stopped`,
    );
    assert.equal(
      await shared.ok([
        "exec",
        name,
        "sh",
        "-c",
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max",
      ]),
      String(48 << 20),
    );
  });

  it("health checks change the status and tell it as an event", async () => {
    await shared.ok([
      ...[
        "run",
        "-d",
        "--name",
        name,
        "--health-cmd",
        "test -e /tmp/well",
        "--health-interval",
        "200ms",
        "--health-retries",
        "2",
      ],
      ...["busybox", "sleep", "300"],
    ]);
    await until("it is unhealthy", async () => (await state(name, "Health.Status")) === "unhealthy");
    await shared.ok(["exec", name, "touch", "/tmp/well"]);
    await until("it is healthy", async () => (await state(name, "Health.Status")) === "healthy");
    assert.match(await shared.ok(["ps", "--filter", `name=${name}`, "--format", "{{.Status}}"]), /\(healthy\)$/);
  });

  it("events tell a run from create to destroy, in Docker's order", async () => {
    const events = spawn(
      tool("docker"),
      ["events", "--filter", `container=${name}`, "--filter", "type=container", "--format", "{{.Action}}"],
      { env: { ...process.env, ...shared.clientEnv() } },
    );
    let seen = "";
    events.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    try {
      // Subscribed once a first event arrives.
      await until("events arrive", async () => {
        await shared.docker(["create", "--name", name, "busybox", "sh", "-c", "exit 1"]);
        await shared.docker(["rm", "-f", name]);
        return seen.includes("destroy");
      });
      const start = seen.length;
      await shared.docker(["run", "--rm", "--name", name, "busybox", "sh", "-c", "exit 1"]);
      await until("the last event", () => seen.slice(start).includes("destroy"));
      assert.deepEqual(seen.slice(start).trim().split("\n"), ["create", "attach", "start", "die", "destroy"]);
    } finally {
      events.kill();
    }
  });
});
