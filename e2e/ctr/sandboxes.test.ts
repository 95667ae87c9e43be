import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../host/exec.ts";
import { until } from "../host/until.ts";
import type { Containerd } from "../engine/containerd.ts";
import { tool } from "../engine/tools.ts";
import { type Call, type Clients, connect, outcome } from "./calls.ts";
import { Pair, Side, image } from "./pair.ts";

const name = "io.containerd.longshore.v2";
const spec = { typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", value: Buffer.from("{}") };
const sandboxer = "shim";
const [one, nope] = [
  { sandboxId: "one", sandboxer },
  { sandboxId: "nope", sandboxer },
];
const record = (sandboxId: string, shim = name) => ({
  sandboxId,
  sandboxer,
  sandbox: { sandboxId, sandboxer, runtime: { name: shim }, spec },
});

const unknown: Call[] = [
  ["start", (c) => c.controller.start(nope)],
  ["platform", (c) => c.controller.platform(nope)],
  ["wait", (c) => c.controller.wait(nope)],
  ["stop", (c) => c.controller.stop(nope)],
  ["status", (c) => c.controller.status(nope)],
  ["shutdown", (c) => c.controller.shutdown(nope)],
  ["metrics", (c) => c.controller.metrics(nope)],
  ["update", (c) => c.controller.update({ ...nope, sandbox: record("nope").sandbox })],
  ["update to nothing", (c) => c.controller.update(nope)],
  ["no controller", (c) => c.controller.status({ sandboxId: "nope" })],
  ["another controller", (c) => c.controller.status({ ...nope, sandboxer: "other" })],
  ["no runtime", (c) => c.controller.create(record("nope", ""))],
  ["a bad id", (c) => c.controller.create(record("a b"))],
  ["an unknown runtime", (c) => c.controller.create(record("one", "io.containerd.nope.v2"))],
  [
    "a sandbox that the shim refuses",
    (c) => c.controller.create({ ...record("one"), rootfs: [{ type: "bind", source: "/tmp" }] }),
  ],
  ["nothing of these is left", (c) => c.controller.status(one)],
];

const life: Call[] = [
  ["record", (c) => c.sandboxes.create({ sandbox: record("one").sandbox })],
  ["create", (c) => c.controller.create(record("one"))],
  ["create again", (c) => c.controller.create(record("one"))],
  ["status", (c) => c.controller.status(one)],
  ["start", (c) => c.controller.start(one)],
  ["platform", (c) => c.controller.platform(one)],
  ["status", (c) => c.controller.status({ ...one, verbose: true })],
  ["metrics", (c) => c.controller.metrics(one)],
  ["update", (c) => c.controller.update({ ...one, sandbox: record("one").sandbox })],
];

const end: Call[] = [
  ["stop", (c) => c.controller.stop(one)],
  ["stop again", (c) => c.controller.stop(one)],
  ["wait", (c) => c.controller.wait(one)],
  ["status", (c) => c.controller.status(one)],
  ["shutdown", (c) => c.controller.shutdown(one)],
  ["status", (c) => c.controller.status(one)],
  ["remove the record", (c) => c.sandboxes.delete(one)],
  ["shutdown again", (c) => c.controller.shutdown(one)],
];

describe("the sandbox controller answers as that of the stock containerd, with our shim in both", () => {
  const pair = new Pair();
  const clients = new Map<Containerd, Clients>();
  const note = async (side: Side, calls: readonly Call[]): Promise<void> => {
    for (const call of calls) side.note(JSON.stringify(await outcome(call, clients.get(side.containerd)!)));
  };

  before(async () => {
    await pair.start();
    for (const containerd of [pair.ours, pair.stock])
      clients.set(containerd, connect(containerd.address, containerd.namespace));
  });

  after(async () => {
    for (const { channel } of clients.values()) channel.close();
    await pair.dispose();
  });

  it("without a sandbox", () => pair.same((side) => note(side, unknown)));

  it("with one, and containers in it", () =>
    pair.same(async (side) => {
      await note(side, life);
      await run(side, "a", "sleep", "300");
      await run(side, "b", "sleep", "300");
      await side.ctr("run", "--rm", "--runtime", name, "--sandbox", "one", image, "c", "sh", "-c", "exit 3");
      await side.ctr("tasks", "exec", "--exec-id", "e", "a", "echo", "inside");
      await side.ctr("tasks", "kill", "-s", "SIGKILL", "b");
      await side.stopped("b");
      const [shim] = await shims(side);
      assert.equal(parentOf(await pidOf(side, "a")), shim);
      await side.ctr("tasks", "rm", "b");
      await note(side, end.slice(0, 4));
      await side.stopped("a");
      await side.ctr("tasks", "rm", "a");
      await note(side, end.slice(4));
      await until("the shim has ended", async () => (await shims(side)).length === 0);
    }));

  it("ctr sandboxes", () =>
    pair.same(async (side) => {
      const config = join(side.dir, "pod.json");
      writeFileSync(config, "{}");
      await side.ctr("sandboxes", "run", config, "two");
      await side.ctr("sandboxes", "ls");
      await side.ctr("sandboxes", "run", config, "two");
      await side.ctr("sandboxes", "rm", "two", "nope");
      await side.ctr("sandboxes", "rm", "-f", "two");
      await side.ctr("sandboxes", "ls");
    }));

  it("of ours: found again after a SIGKILL of containerd, and its end when the shim is killed", async () => {
    const side = new Side(pair.ours);
    await note(side, life);
    await run(side, "a", "sleep", "300");
    const pid = await pidOf(side, "a");
    await pair.ours.daemon.kill();
    await pair.ours.daemon.start();
    side.transcript.length = 0;
    await note(side, [["status", (c) => c.controller.status(one)]]);
    assert.match(side.transcript.join(), /SANDBOX_READY/);
    assert.equal(await pidOf(side, "a"), pid);
    await run(side, "b", "sleep", "300");
    const [shim] = await shims(side);
    assert.equal(parentOf(await pidOf(side, "b")), shim);
    process.kill(shim!, "SIGKILL");
    await until("the tasks are gone", async () => (await pair.ours.ok("tasks", "ls", "-q")) === "");
    side.transcript.length = 0;
    await note(side, [
      ["wait", (c) => c.controller.wait(one)],
      ["remove the record", (c) => c.sandboxes.delete(one)],
    ]);
    assert.deepEqual(side.transcript, [
      '["wait",5,"not found"]',
      '["remove the record",{"$typeName":"containerd.services.sandbox.v1.StoreDeleteResponse"}]',
    ]);
    await pair.ours.clear();
  });

  it("of ours: a container whose sandbox has no record gets a shim of its own, which ends with it", async () => {
    const { code } = await pair.ours.ctr([
      "run",
      "--rm",
      "--runtime",
      name,
      "--sandbox",
      "gone",
      image,
      "d",
      "sh",
      "-c",
      "exit 4",
    ]);
    assert.equal(code, 4);
    await until("its shim has ended", async () => (await shims(new Side(pair.ours))).length === 0);
  });

  it("of ours: a shim without sandboxes is refused and ended", async () => {
    const refused = await outcome(
      ["create", (c) => c.controller.create(record("plain", tool("containerd-shim-runc-v2")))],
      clients.get(pair.ours)!,
    );
    assert.deepEqual(refused, [
      "create",
      12,
      "failed to create sandbox plain: service containerd.runtime.sandbox.v1.Sandbox",
    ]);
    await until("its shim has ended", async () => (await shims(new Side(pair.ours))).length === 0);
  });
});

async function run(side: Side, id: string, ...command: string[]): Promise<void> {
  await side.ctr("run", "-d", "--runtime", name, "--sandbox", "one", image, id, ...command);
}

async function pidOf({ containerd }: Side, id: string): Promise<number> {
  return Number(new RegExp(`^${id} +(\\d+)`, "m").exec(await containerd.ok("tasks", "ls"))?.[1]);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** The servers of shims that a containerd has. */
async function shims({ containerd }: Side): Promise<number[]> {
  const { stdout } = await exec("pgrep", ["-f", `shim-.*-namespace ${containerd.namespace} `]);
  return stdout.split("\n").filter(Boolean).map(Number);
}
