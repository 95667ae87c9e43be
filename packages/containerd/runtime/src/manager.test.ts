import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type DescMessage, type MessageInitShape, create } from "@bufbuild/protobuf";
import { isKind, messageOf } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { packAny } from "@longshore/proto";
import { TaskDeleteSchema, TaskExitSchema } from "@longshore/proto/containerd/events/events";
import { EnvelopeSchema } from "@longshore/proto/containerd/types/types";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { taskDir } from "./bundle.ts";
import { type CreateOptions, TaskManager, loadTasks } from "./index.ts";

describe("runtime", () => {
  let dir: string;
  /** Processes that were taken out of the daemon's unit. */
  let placed: number[];
  let events: [string, Record<string, unknown>][];
  /** What the shims tell. */
  let told: PassThrough;
  let manager: TaskManager;
  let options: CreateOptions;
  const savedPath = process.env["FAKE_SHIM_SOCKETS"];

  const newManager = (): TaskManager =>
    new TaskManager({
      config: {
        root: join(dir, "root"),
        state: join(dir, "state"),
        address: join(dir, "c.sock"),
        ttrpcAddress: join(dir, "c.sock.ttrpc"),
        containerdBinary: "/bin/false",
        shimDirs: [dir],
        place: (pid) => void placed.push(pid),
        debug: false,
        version: "v2.1.4",
      },
      events: {
        publish: <S extends DescMessage>(_namespace: string, topic: string, _schema: S, event: MessageInitShape<S>) =>
          void events.push([topic, event as Record<string, unknown>]),
        subscribe: () => told,
      },
      log: silent,
    });
  /** As after SIGKILL: the connections break, nothing else happens. */
  const restart = async (): Promise<void> => {
    manager.close();
    told = new PassThrough({ objectMode: true });
    manager = newManager();
    await loadTasks(manager, async () => undefined);
  };
  const bundle = (id: string): string => join(dir, "state", taskDir, "test", id);
  const actions = (): string[] => readFileSync(join(dir, "actions"), "utf8").trim().split("\n");
  const end = async (id: string): Promise<void> => {
    await manager.get("test", id).kill("", 9, false);
    await manager.delete("test", id);
  };

  const tell = <S extends DescMessage>(topic: string, schema: S, event: MessageInitShape<S>): void =>
    void told.write(create(EnvelopeSchema, { namespace: "test", topic, event: packAny(schema, event) }));
  const until = async (met: () => boolean): Promise<void> => {
    while (!met()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "runtime-"));
    events = [];
    placed = [];
    told = new PassThrough({ objectMode: true });
    process.env["FAKE_SHIM_SOCKETS"] = dir;
    const script = join(import.meta.dirname, "testing/fake-shim.ts");
    writeFileSync(join(dir, "containerd-shim-fake-v2"), `#!/bin/sh\nexec ${process.execPath} ${script} "$@"\n`, {
      mode: 0o755,
    });
    options = {
      spec: Buffer.from("{}"),
      rootfs: [],
      io: { stdin: "", stdout: "", stderr: "", terminal: false },
      checkpoint: "",
      runtime: "io.containerd.fake.v2",
    };
    manager = newManager();
    await loadTasks(manager, async () => undefined);
  });

  afterEach(() => {
    manager.close();
    rmSync(dir, { recursive: true });
    if (savedPath === undefined) delete process.env["FAKE_SHIM_SOCKETS"];
    else process.env["FAKE_SHIM_SOCKETS"] = savedPath;
  });

  it("runs a task from creation to deletion and leaves nothing", async () => {
    const { task, pid } = await manager.create("test", "a", options);
    assert.ok(pid > 0);
    for (const name of ["config.json", "rootfs", "work", "log", "bootstrap.json", "shim-binary-path"])
      assert.ok(existsSync(join(bundle("a"), name)), name);
    await task.start("");
    await assert.rejects(manager.delete("test", "a"), {
      message: "failed to delete task: cannot delete a running process",
    });
    const waited = task.wait("");
    await task.kill("", 15, false);
    assert.equal((await waited).status, 143);
    assert.equal((await manager.delete("test", "a")).status, 143);
    assert.throws(
      () => manager.get("test", "a"),
      (error) => isKind(error, "NotFound") && messageOf(error) === "task a not found",
    );
    await manager.settled();
    assert.deepEqual(readdirSync(join(dir, "state", taskDir, "test")), []);
    assert.deepEqual(readdirSync(join(dir, "root", taskDir, "test")), []);
  });

  it("takes what starts a shim out of the daemon's unit, and nothing else", async () => {
    await manager.create("test", "a", options);
    assert.equal(placed.length, 1);
    assert.ok(placed[0]! > 0);
    await end("a");
    await manager.settled();
    assert.equal(placed.length, 1);
  });

  it("lets a new task of the same name wait for the end of the old one", async () => {
    const { pid } = await manager.create("test", "a", options);
    await manager.delete("test", "a");
    const { pid: next } = await manager.create("test", "a", options);
    assert.notEqual(next, pid);
    await manager.settled();
    assert.ok(existsSync(bundle("a")));
    await end("a");
  });

  it("makes one task of an id, however many ask at once, and deletes it once", async () => {
    const made = await Promise.allSettled(Array.from({ length: 4 }, () => manager.create("test", "a", options)));
    assert.equal(made.filter(({ status }) => status === "fulfilled").length, 1);
    for (const one of made) if (one.status === "rejected") assert.ok(isKind(one.reason, "AlreadyExists"));
    const deleted = await Promise.allSettled([manager.delete("test", "a"), manager.delete("test", "a")]);
    assert.deepEqual(
      deleted.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });

  it("gives tasks to shims that wait, and lets the last one go", async () => {
    writeFileSync(join(dir, "containerd-shim-longshore-v2"), `#!/bin/sh\nexec ${dir}/containerd-shim-fake-v2 "$@"\n`, {
      mode: 0o755,
    });
    const waiting = { ...options, runtime: "io.containerd.longshore.v2" };
    await manager.create("test", "a", waiting);
    const prepared = (): string[] =>
      actions().flatMap((each) => (each.startsWith("prepare ") ? [each.slice("prepare ".length)] : []));
    while (prepared().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    const before = prepared();
    await manager.create("test", "b", waiting);
    const assigned = actions().flatMap((each) => (each.startsWith("assigned ") ? [each.split(" ").slice(1)] : []));
    assert.deepEqual(
      assigned.map(([id]) => id),
      ["a", "b"],
    );
    assert.deepEqual(assigned.map(([, pid]) => pid).sort(), before.sort());
    for (const id of ["a", "b"]) await end(id);
  });

  it("undoes a creation that the shim refuses, and says why", async () => {
    mkdirSync(join(dir, "root"), { recursive: true });
    const refusing = join(dir, "containerd-shim-refuse-v2");
    writeFileSync(
      refusing,
      `#!/bin/sh\necho 'no such runtime' >create-fails\nexec ${dir}/containerd-shim-fake-v2 "$@"\n`,
      { mode: 0o755 },
    );
    await assert.rejects(
      manager.create("test", "a", { ...options, runtime: refusing }),
      /^Unknown: failed to create shim task: no such runtime/,
    );
    assert.equal(existsSync(bundle("a")), false);
    const { task } = await manager.create("test", "a", options);
    assert.equal((await task.state("")).status, Status.CREATED);
    await end("a");
  });

  it("keeps unpacked criu images as long as the task", async () => {
    let images = "";
    await manager.create("test", "a", {
      ...options,
      checkpoint: async (directory) => writeFileSync((images = join(directory, "pages-1.img")), ""),
    });
    assert.ok(existsSync(images));
    await manager.delete("test", "a");
    await manager.settled();
    assert.equal(existsSync(images), false);
    const broken = manager.create("test", "a", {
      ...options,
      checkpoint: () => Promise.reject(new Error("no such blob")),
    });
    await assert.rejects(broken, /no such blob/);
    assert.equal(existsSync(bundle("a")), false);
  });

  it("tells why a shim does not start", async () => {
    const broken = join(dir, "containerd-shim-broken-v2");
    writeFileSync(broken, "#!/bin/sh\necho 'out of luck' >&2\nexit 3\n", { mode: 0o755 });
    await assert.rejects(manager.create("test", "a", { ...options, runtime: broken }), {
      message: "failed to start shim: start failed: out of luck: exit status 3",
    });
    assert.equal(existsSync(bundle("a")), false);
    await assert.rejects(
      manager.create("test", "a", { ...options, runtime: "io.containerd.nope.v2" }),
      /"io.containerd.nope.v2" binary not installed "containerd-shim-nope-v2"/,
    );
    await assert.rejects(manager.create("test", "../a", options), (error) => isKind(error, "InvalidArgument"));
  });

  it("announces the end of a task whose shim dies, and tells those who wait", async () => {
    const { task, pid } = await manager.create("test", "a", options);
    await task.start("");
    const waited = task.wait("");
    process.kill(pid, "SIGKILL");
    assert.equal((await waited).status, 137);
    assert.deepEqual(
      events.map(([topic, event]) => [topic, event["exitStatus"], event["pid"]]),
      [
        ["/tasks/exit", 137, 42],
        ["/tasks/delete", 137, 42],
      ],
    );
    assert.equal(manager.has("test", "a"), false);
    assert.equal(existsSync(bundle("a")), false);
    assert.equal(existsSync(join(dir, "test-a")), false, "the dead shim's socket");
  });

  it("announces the deletion in place of a shim that ended before it told of it, and only then", async () => {
    const announced = (id: string): unknown[] =>
      events
        .filter(([, event]) => event["containerId"] === id)
        .map(([topic, event]) => [topic, event["pid"], event["exitStatus"]]);
    const { pid: open } = await manager.create("test", "open", options);
    await end("open");
    tell("/tasks/delete", TaskDeleteSchema, { containerId: "open", pid: open });
    const { pid: halfway } = await manager.create("test", "halfway", options);
    tell("/tasks/exit", TaskExitSchema, { containerId: "halfway", id: "halfway", pid: halfway });
    await end("halfway");
    const { pid } = await manager.create("test", "silent", options);
    await end("silent");
    await until(() => announced("silent").length === 2);
    assert.deepEqual(announced("silent"), [
      ["/tasks/exit", pid, 137],
      ["/tasks/delete", pid, 137],
    ]);
    assert.deepEqual(announced("halfway"), [["/tasks/delete", halfway, 137]]);
    assert.deepEqual(announced("open"), []);
  });

  it("takes up tasks after a restart, and knows what ended meanwhile", async () => {
    const { task: running } = await manager.create("test", "running", options);
    await running.start("");
    const { task: ending } = await manager.create("test", "ended", options);
    await ending.kill("", 6, false);
    const { task: dying, pid } = await manager.create("test", "dead", options);
    await dying.start("");
    manager.close();
    process.kill(pid, "SIGKILL");
    await restart();
    assert.deepEqual(
      manager
        .list("test")
        .map(({ id }) => id)
        .toSorted(),
      ["ended", "running"],
    );
    assert.equal((await manager.get("test", "running").state("")).status, Status.RUNNING);
    assert.equal((await manager.get("test", "ended").wait("")).status, 134);
    assert.equal(existsSync(bundle("dead")), false);
    assert.equal((await manager.delete("test", "ended")).status, 134);
    await end("running");
  });

  it("removes a bundle whose files a power cut left empty", async () => {
    const { pid } = await manager.create("test", "cut", options);
    manager.close();
    process.kill(pid, "SIGKILL");
    for (const name of ["bootstrap.json", "shim-binary-path"]) writeFileSync(join(bundle("cut"), name), "");
    await restart();
    assert.deepEqual(readdirSync(join(dir, "state", taskDir, "test")), []);
    assert.throws(() => manager.get("test", "cut"), { name: "NotFound" });
  });

  it("finishes what a SIGKILL interrupted", async () => {
    // a removal after its renaming, a creation before any file, and before the shim was known
    mkdirSync(bundle(".gone"), { recursive: true });
    mkdirSync(bundle("empty"));
    mkdirSync(join(bundle("early"), "rootfs"), { recursive: true });
    mkdirSync(join(dir, "root", taskDir, "test", "early"), { recursive: true });
    // a shim that runs but was not recorded yet
    await manager.create("test", "unrecorded", options);
    manager.close();
    rmSync(join(bundle("unrecorded"), "bootstrap.json"));
    await restart();
    assert.deepEqual(readdirSync(join(dir, "state", taskDir, "test")), ["unrecorded"]);
    assert.deepEqual(readdirSync(join(dir, "root", taskDir, "test")), ["unrecorded"]);
    assert.equal((await manager.get("test", "unrecorded").state("")).status, Status.CREATED);
    await manager.delete("test", "unrecorded");
    assert.equal(actions().filter((action) => action === "start unrecorded").length, 2);
  });
});
