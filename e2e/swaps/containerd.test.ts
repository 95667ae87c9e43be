import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerdContract } from "@longshore/containerd-client/testing";
import { importBusybox } from "../engine/busybox.ts";
import { contractSubject } from "../engine/contract.ts";
import { EventStream } from "../engine/events.ts";
import { Longshore } from "../engine/longshore.ts";
import { Registry } from "../stock/registry.ts";
import { freePort } from "../host/port.ts";
import { until } from "../host/until.ts";

const counting = 'trap "echo bye; exit 3" TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done';

describe("the engine on the stock containerd, with our shim", () => {
  let engine: Longshore;
  const ok = (...args: string[]): Promise<string> => engine.ok(args);
  const fails = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await engine.docker(args);
    assert.notEqual(code, 0);
    return stderr;
  };

  before(async () => {
    engine = new Longshore({
      bridge: `lss${process.pid}`,
      address: `10.214.${process.pid % 250}.1/24`,
      stock: true,
    });
    await engine.start();
    await importBusybox(engine);
  });

  after(async () => {
    const ids = (await ok("ps", "-aq")).split("\n").filter(Boolean);
    if (ids.length > 0) await ok("rm", "-f", "-v", ...ids);
    await engine.dispose();
  });

  describe("what clients take for granted of it", () => {
    containerdContract(() => contractSubject(join(engine.dir, "containerd.sock"), `contract-stock-${process.pid}`));
  });

  it("is the stock one", async () => {
    assert.match(
      await ok("version", "-f", "{{range .Server.Components}}{{.Name}} {{.Version}};{{end}}"),
      /containerd v?2\.1/,
    );
  });

  it("run, exit codes, input, a command that is missing", async () => {
    assert.equal((await engine.docker(["run", "--rm", "busybox", "sh", "-c", "echo a; exit 7"])).code, 7);
    assert.equal(await engine.ok(["run", "--rm", "-i", "busybox", "cat"], { input: "abc" }), "abc");
    const missing = await engine.docker(["run", "--rm", "busybox", "nope"]);
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /exec: "nope": executable file not found in \$PATH/);
    assert.equal((await engine.docker(["run", "--rm", "busybox", "/etc"])).code, 126);
    assert.equal((await engine.docker(["run", "--rm", "no-such-image"])).code, 125);
  });

  it("exec, logs, pause, update, stats, top, cp, diff, stop, start, kill, wait", async () => {
    await ok("run", "-d", "--name", "counting", "busybox", "sh", "-c", counting);
    const inside = await engine.docker(["exec", "counting", "sh", "-c", "echo in; echo err >&2; exit 5"]);
    assert.deepEqual(inside, { code: 5, stdout: "in\n", stderr: "err\n" });
    assert.equal((await engine.docker(["exec", "counting", "nope"])).code, 127);
    await ok("pause", "counting");
    assert.equal(await ok("inspect", "-f", "{{.State.Status}}", "counting"), "paused");
    assert.match(await fails("exec", "counting", "true"), /is paused, unpause the container before exec/);
    await ok("unpause", "counting");
    await ok("update", "--memory", "64m", "--memory-swap", "64m", "counting");
    assert.match(await ok("stats", "--no-stream", "--format", "{{.MemUsage}}", "counting"), /iB \/ 64MiB$/);
    assert.match(await ok("top", "counting"), /sleep|sh -c/);
    const file = join(engine.dir, "copied");
    writeFileSync(file, "copied in");
    await ok("cp", file, "counting:/tmp/copied");
    await ok("cp", "counting:/tmp/copied", `${file}.back`);
    assert.equal(readFileSync(`${file}.back`, "utf8"), "copied in");
    assert.match(await ok("diff", "counting"), /^A \/tmp\/copied$/m);
    await ok("stop", "counting");
    assert.equal(await ok("wait", "counting"), "3");
    assert.match(await ok("logs", "counting"), /^0\n1\n[^]*\nbye$/);
    await ok("start", "counting");
    await ok("kill", "counting");
    assert.equal(await ok("wait", "counting"), "137");
    await ok("rm", "counting");
  });

  it("ports and names", async () => {
    const port = await freePort();
    await ok(
      ...["run", "-d", "--name", "serving", "-p", `127.0.0.1:${port}:80`, "busybox"],
      ...["sh", "-c", "echo hello >/home/index.html; httpd -f -h /home"],
    );
    const page = await until("the port answers", async () => (await fetch(`http://127.0.0.1:${port}/`)).text());
    assert.equal(page, "hello\n");
    await ok("rm", "-f", "serving");
  });

  it("commit, tag, ls, history, inspect, rmi, prune", async () => {
    await ok("run", "--name", "changed", "busybox", "sh", "-c", "echo new >/added; rm /etc/group");
    await ok("commit", "-m", "changes", "changed", "made:1");
    await ok("tag", "made:1", "made:2");
    assert.equal(
      await ok("run", "--rm", "made:2", "sh", "-c", "cat /added; test -e /etc/group || echo gone"),
      "new\ngone",
    );
    const rows = (await ok("images", "--format", "{{.Repository}}:{{.Tag}}", "made")).split("\n").toSorted();
    assert.deepEqual(rows, ["made:1", "made:2"]);
    assert.match(await ok("history", "--format", "{{.Comment}}", "made:1"), /^changes$/m);
    const id = await ok("image", "inspect", "-f", "{{.Id}}", "made:1");
    assert.match(await fails("rmi", "busybox"), /in use|is using its referenced image|being used/);
    await ok("rmi", "made:2");
    await ok("rm", "changed");
    await ok("run", "--name", "again", "busybox", "true");
    await ok("commit", "again", "made:1");
    assert.equal(await ok("images", "-q", "--no-trunc", "-f", "dangling=true"), id);
    assert.match(await ok("image", "prune", "-f"), new RegExp(id));
    assert.match(await fails("image", "inspect", id), /No such image|no such image/);
    await ok("rm", "again");
    await ok("rmi", "made:1");
  });

  it("save and load, export and import", async () => {
    const archive = join(engine.dir, "image.tar");
    await ok("tag", "busybox", "saved:1");
    const id = await ok("image", "inspect", "-f", "{{.Id}}", "saved:1");
    const saved = await engine.docker(["save", "-o", archive, "saved:1"], { timeoutMs: 15_000 });
    assert.equal(saved.code, 0, saved.stderr);
    await ok("rmi", "saved:1");
    assert.equal(await ok("load", "-i", archive), "Loaded image: saved:1");
    assert.equal(await ok("image", "inspect", "-f", "{{.Id}}", "saved:1"), id);
    const cut = join(engine.dir, "cut.tar");
    writeFileSync(cut, readFileSync(archive).subarray(0, 100_000));
    await ok("rmi", "saved:1");
    await fails("load", "-i", cut);
    assert.equal(await ok("images", "-q", "saved"), "");
    await ok("create", "--name", "exported", "busybox", "true");
    const tar = join(engine.dir, "root.tar");
    await ok("export", "-o", tar, "exported");
    await ok("rm", "exported");
    await ok("import", tar, "imported:1");
    assert.equal(await ok("run", "--rm", "imported:1", "echo", "runs"), "runs");
    await ok("rmi", "imported:1");
  });

  it("push and pull", async () => {
    const registry = new Registry();
    await registry.start();
    const image = `${registry.address}/team/pushed:1`;
    try {
      await ok("run", "--name", "more", "busybox", "sh", "-c", "echo pushed >/file");
      await ok("commit", "more", image);
      await ok("rm", "more");
      const pushed = await ok("push", image);
      const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1];
      assert.match(pushed, /^[0-9a-f]{12}: Pushed$/m);
      await ok("rmi", image);
      const pulled = await ok("pull", image);
      assert.match(pulled, new RegExp(`^Digest: ${digest}$`, "m"));
      assert.match(pulled, /^Status: Downloaded newer image for /m);
      assert.match(await ok("pull", image), /^Status: Image is up to date for /m);
      assert.equal(await ok("run", "--rm", image, "cat", "/file"), "pushed");
      assert.match(await fails("pull", `${registry.address}/team/none:1`), /not found|manifest unknown/);
      await ok("rmi", image);
    } finally {
      await registry.stop();
    }
  });

  it("events", async () => {
    const events = await EventStream.open(engine, { type: ["container"] });
    try {
      await ok("run", "--rm", "--name", "told", "busybox", "sh", "-c", "exit 4");
    } catch {
      // its exit code
    }
    await until("the end is told", () => events.seen.some(({ Action }) => Action === "destroy"));
    const actions = events.seen.filter(({ Actor }) => Actor.Attributes["name"] === "told").map(({ Action }) => Action);
    assert.deepEqual(actions, ["create", "attach", "start", "die", "destroy"]);
    const die = events.seen.find(({ Action }) => Action === "die");
    assert.equal(die?.Actor.Attributes["exitCode"], "4");
    events.close();
  });

  it("a killed containerd, then both killed: containers run on and are found again, exits are told", async () => {
    await ok("run", "-d", "--name", "lasting", "busybox", "sh", "-c", counting);
    await ok(
      "run",
      "-d",
      "--name",
      "ending",
      "busybox",
      "sh",
      "-c",
      "until [ -e /tmp/gone ]; do sleep 0.05; done; exit 9",
    );
    await ok(
      "run",
      "-d",
      "--name",
      "unseen",
      "busybox",
      "sh",
      "-c",
      "until [ -e /tmp/gone ]; do sleep 0.05; done; exit 6",
    );
    const pid = await ok("inspect", "-f", "{{.State.Pid}}", "lasting");
    const unseen = Number(await ok("inspect", "-f", "{{.State.Pid}}", "unseen"));
    await engine.containerd.kill();
    writeFileSync(`/proc/${unseen}/root/tmp/gone`, "");
    await until("the container has ended", () => !isAlive(unseen));
    await engine.containerd.start();
    await until("exec works again", async () => (await engine.docker(["exec", "lasting", "true"])).code === 0);
    await ok("exec", "ending", "touch", "/tmp/gone");
    assert.equal(await ok("wait", "ending"), "9");
    // The stock containerd forgets, as it starts, what has ended meanwhile.
    assert.equal(await ok("wait", "unseen"), "255");
    await engine.engine.kill();
    await engine.containerd.kill();
    await engine.containerd.start();
    await engine.engine.start();
    assert.equal(await ok("inspect", "-f", "{{.State.Status}} {{.State.Pid}}", "lasting"), `running ${pid}`);
    assert.equal(await ok("exec", "lasting", "echo", "still"), "still");
    await ok("stop", "lasting");
    assert.equal(await ok("wait", "lasting"), "3");
    const lines = (await ok("logs", "lasting")).split("\n");
    assert.equal(lines.pop(), "bye");
    assert.deepEqual(
      lines,
      lines.map((_, index) => String(index)),
    );
    await ok("rm", "lasting", "ending", "unseen");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
