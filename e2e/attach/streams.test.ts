import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { shared } from "../engine/shared.ts";
import { tool } from "../engine/tools.ts";
import { until } from "../host/until.ts";

describe("logs, attach and exec", () => {
  const name = "e2e-streams";
  afterEach(() => shared.docker(["rm", "-f", "-v", name]));

  it("logs gives both streams, the tail, timestamps and a time range", async () => {
    await shared.docker([
      "run",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      "for i in 1 2 3; do echo line $i; sleep 0.3; done; echo wrong >&2",
    ]);
    const all = await shared.docker(["logs", name]);
    assert.deepEqual(all, { code: 0, stdout: "line 1\nline 2\nline 3\n", stderr: "wrong\n" });
    assert.equal(await shared.ok(["logs", "--tail", "2", name]), "line 3");
    assert.equal(
      await shared.ok(["logs", "--since", await shared.ok(["inspect", "-f", "{{.State.StartedAt}}", name]), name]),
      "line 1\nline 2\nline 3",
    );
    assert.equal(await shared.ok(["logs", "-n", "0", name]), "");
    const stamped = (await shared.ok(["logs", "-t", name])).split("\n");
    assert.match(stamped[0] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1$/);
    const second = (stamped[1] ?? "").split(" ")[0] ?? "";
    assert.equal(await shared.ok(["logs", "--since", second, name]), "line 2\nline 3");
    assert.equal(await shared.ok(["logs", "--until", second, name]), "line 1\nline 2");
  });

  it("logs -f follows until the container ends", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      "for i in $(seq 1 20); do echo $i; sleep 0.05; done",
    ]);
    const followed = await shared.ok(["logs", "-f", name]);
    assert.equal(followed, Array.from({ length: 20 }, (_, index) => index + 1).join("\n"));
  });

  it("logs keeps to max-size and max-file, and follow loses nothing over a rotation", async () => {
    await shared.ok([
      ...["run", "-d", "--name", name, "--log-opt", "max-size=10k", "--log-opt", "max-file=3", "busybox"],
      ...[
        "sh",
        "-c",
        "sleep 0.5; i=0; while [ $i -lt 600 ]; do echo number $i; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.02; done",
      ],
    ]);
    const followed = (await shared.ok(["logs", "-f", name])).split("\n");
    assert.deepEqual(
      followed,
      Array.from({ length: 600 }, (_, index) => `number ${index}`),
    );
    const kept = (await shared.ok(["logs", name])).split("\n");
    assert.ok(kept.length < 600 && kept.at(-1) === "number 599", `kept ${kept.length}`);
  });

  it("logs has what came without a last newline, and very long lines", async () => {
    await shared.docker([
      "run",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      "head -c 100000 /dev/zero | tr '\\0' a; echo; printf end",
    ]);
    assert.equal(await shared.ok(["logs", name]), `${"a".repeat(100_000)}\nend`);
  });

  it("attach gets what is printed from then on and the exit code", async () => {
    await shared.ok(["run", "-d", "-i", "--name", name, "busybox", "sh", "-c", "read line; echo got $line; exit 8"]);
    const result = await shared.docker(["attach", name], { input: "hello\n" });
    assert.deepEqual([result.code, result.stdout], [8, "got hello\n"]);
  });

  it("a large output passes attach and the log unharmed", async () => {
    const result = await shared.docker(["run", "--name", name, "busybox", "sh", "-c", "seq 1 200000"]);
    const expected = `${Array.from({ length: 200_000 }, (_, index) => index + 1).join("\n")}\n`;
    assert.ok(result.stdout === expected, `${result.stdout.length} of ${expected.length} bytes came through attach`);
    const logged = await shared.docker(["logs", name]);
    assert.ok(logged.stdout === expected, `${logged.stdout.length} of ${expected.length} bytes came through the log`);
  });

  it("exec has its own streams, environment, user, directory and exit code", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "300"]);
    const result = await shared.docker(
      [
        "exec",
        "-i",
        "-e",
        "X=1",
        "-w",
        "/tmp",
        "-u",
        "nobody",
        name,
        "sh",
        "-c",
        "cat; echo $X $(pwd) $(id -un); echo no >&2; exit 11",
      ],
      { input: "in\n" },
    );
    assert.deepEqual(result, { code: 11, stdout: "in\n1 /tmp nobody\n", stderr: "no\n" });
    await shared.ok(["exec", "-d", name, "sh", "-c", "echo done > /tmp/detached"]);
    await until(
      "the detached exec has run",
      async () => (await shared.ok(["exec", name, "cat", "/tmp/detached"])) === "done",
    );
    assert.equal((await shared.docker(["exec", name, "/no/such"])).code, 127);
    await shared.ok(["stop", "-t", "0", name]);
    const stopped = await shared.docker(["exec", name, "true"]);
    assert.match(stopped.stderr, /^Error response from daemon: container [0-9a-f]{64} is not running$/m);
  });

  it("top, stats and diff look into it", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sh", "-c", "echo new > /made; rm /etc/group; sleep 300"]);
    await until("the files are changed", async () => (await shared.ok(["diff", name])).includes("/made"));
    assert.deepEqual((await shared.ok(["diff", name])).split("\n").sort(), ["A /made", "C /etc", "D /etc/group"]);
    assert.match(await shared.ok(["top", name]), /UID +PID +PPID.*\n.*sleep 300|sh -c/);
    assert.match(
      await shared.ok(["stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", name]),
      /^e2e-streams \d+\.\d\d% [\d.]+[KMG]iB \/ [\d.]+[KMG]iB \d+$/,
    );
  });

  it("events end at --until and replay from --since", async () => {
    const since = String(Date.now() / 1000);
    await shared.ok(["run", "--name", name, "busybox", "true"]);
    const seen = (
      await shared.ok([
        "events",
        "--since",
        since,
        "--until",
        String(Date.now() / 1000 + 0.1),
        "--filter",
        `container=${name}`,
        "--format",
        "{{.Type}} {{.Action}}",
      ])
    ).split("\n");
    assert.deepEqual(
      seen.filter((line) => line.startsWith("container")),
      ["container create", "container attach", "container start", "container die"],
    );
    // An end without a beginning replays what is kept.
    const kept = await shared.ok([
      "events",
      "--until",
      String(Date.now() / 1000),
      "--filter",
      `container=${name}`,
      "--filter",
      "event=die",
      "--format",
      "{{.Action}}",
    ]);
    assert.match(kept, /^die$/m);
  });

  it("a client that goes away leaves the container alone", async () => {
    const client = spawn(
      tool("docker"),
      ["run", "--name", name, "busybox", "sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); done"],
      {
        env: { ...process.env, ...shared.clientEnv() },
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    await new Promise((resolve) => client.stdout.once("data", resolve));
    client.kill("SIGKILL");
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Running}}", name]), "true");
    const first = Number(await shared.ok(["logs", "--tail", "1", name]));
    await until("it goes on printing", async () => Number(await shared.ok(["logs", "--tail", "1", name])) > first);
  });
});
