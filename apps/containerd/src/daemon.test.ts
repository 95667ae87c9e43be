import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { connectContainerd } from "@longshore/containerd-client/connect";
import { Channel } from "@longshore/grpc";
import { packAny } from "@longshore/proto";
import { TaskOOMSchema } from "@longshore/proto/containerd/events/events";
import { Events } from "@longshore/proto/containerd/services/events/ttrpc/v1/events";
import { Connection, createClient } from "@longshore/ttrpc";

const binary = resolve(import.meta.dirname, "../../../bin/containerd");

describe("bin/containerd", function () {
  this.timeout(20_000);
  let dir: string;
  let address: string;
  let daemon: ChildProcess;
  let channel: Channel;
  /** The daemon's own log, shown only with a failure. */
  let said = "";

  const start = async (): Promise<void> => {
    daemon = spawn(binary, ["--root", join(dir, "root"), "--state", join(dir, "state"), "-a", address], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    daemon.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    channel = new Channel(address);
    await channel.ready(10_000);
  };
  const stop = async (signal: NodeJS.Signals): Promise<unknown> => {
    channel.close();
    const ended = once(daemon, "exit");
    daemon.kill(signal);
    return (await ended)[0] as unknown;
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "containerd-"));
    address = join(dir, "c.sock");
    await start();
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed") process.stderr.write(said);
  });
  after(async () => {
    if (daemon.exitCode === null && daemon.signalCode === null) await stop("SIGKILL");
    rmSync(dir, { recursive: true });
  });

  it("answers on a socket for root alone", async () => {
    assert.equal(statSync(address).mode & 0o777, 0o660);
    assert.match((await connectContainerd(channel, "t").version.version({})).version, /^v2\./);
  });

  it("refuses to share its directories or its socket", () => {
    const same = spawnSync(binary, ["--root", join(dir, "root"), "--state", join(dir, "state2"), "-a", `${address}2`], {
      encoding: "utf8",
    });
    assert.equal(same.status, 1);
    assert.match(same.stderr, /another containerd uses/);
    const socket = spawnSync(binary, ["--root", join(dir, "root3"), "--state", join(dir, "state3"), "-a", address], {
      encoding: "utf8",
    });
    assert.equal(socket.status, 1);
    assert.match(socket.stderr, /address already in use/);
  });

  it("passes on what shims publish, over ttrpc and through its command line", async () => {
    const abort = new AbortController();
    const stream = connectContainerd(channel, "t")
      .events.subscribe({ filters: ['topic=="/tasks/oom"'] }, { signal: abort.signal })
      [Symbol.asyncIterator]();
    const first = stream.next();
    const connection = await Connection.open(`${address}.ttrpc`);
    const event = packAny(TaskOOMSchema, { containerId: "c" });
    // The subscription is known to stand when the first event has come through.
    const forwarded = (): Promise<undefined> =>
      createClient(Events, connection)
        .forward({ envelope: { timestamp: { seconds: 1n }, namespace: "t", topic: "/tasks/oom", event } })
        .then(() => undefined);
    while ((await Promise.race([first, forwarded()])) === undefined);
    assert.equal((await first).value?.event?.typeUrl, "containerd.events.TaskOOM");
    const published = spawnSync(
      binary,
      ["--address", address, "publish", "--topic", "/tasks/oom", "--namespace", "other"],
      { input: toBinary(AnySchema, create(AnySchema, event)) },
    );
    assert.equal(published.status, 0, published.stderr.toString());
    for (;;) {
      const { value } = await stream.next();
      if (value?.namespace === "other") break;
    }
    abort.abort();
    connection.close();
  });

  it("comes back after SIGKILL over its dead sockets, and stops cleanly on SIGTERM", async () => {
    await stop("SIGKILL");
    assert.ok(existsSync(address));
    await start();
    await connectContainerd(channel, "t").namespaces.list({});
    assert.equal(await stop("SIGTERM"), 0);
    assert.equal(existsSync(address) || existsSync(`${address}.ttrpc`), false);
  });

  it("leaves out what is disabled, goes on without what fails, and ends where that is required", async () => {
    const other = join(dir, "other.sock");
    const run = async (text: string, look?: (channel: Channel) => Promise<void>): Promise<string> => {
      const config = join(dir, "config.toml");
      const places = `version = 3\nroot = "${join(dir, "root2")}"\nstate = "${join(dir, "state2")}"\n`;
      writeFileSync(config, `${places}${text}\n[grpc]\naddress = "${other}"\n`);
      const child = spawn(binary, ["--config", config], { stdio: ["ignore", "ignore", "pipe"] });
      let log = "";
      child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
      const ended = once(child, "exit");
      if (look !== undefined) {
        const looked = new Channel(other);
        await looked.ready(10_000);
        await look(looked).finally(() => {
          looked.close();
          child.kill("SIGTERM");
        });
      }
      assert.deepEqual(await ended, [look === undefined ? 1 : 0, null], log);
      return log;
    };
    await run(
      'disabled_plugins = ["io.containerd.grpc.v1.diff", "io.containerd.differ.v1.walking"]',
      async (looked) => {
        const { introspection, diff, images } = connectContainerd(looked, "t");
        const { plugins } = await introspection.plugins({ filters: ["type~=differ", "id==diff", "id==tasks"] });
        const failed = "no plugins registered for io.containerd.differ.v1: plugin: not found";
        assert.deepEqual(
          plugins.map(({ type, id, initErr }) => [type, id, initErr?.code, initErr?.message]),
          [["io.containerd.grpc.v1", "tasks", 2, failed]],
        );
        await assert.rejects(diff.diff({}), /unknown (service|method)|UNIMPLEMENTED|not implement/i);
        await images.list({ filters: [] });
      },
    );
    assert.match(
      await run(
        'required_plugins = ["io.containerd.grpc.v1.tasks"]\ndisabled_plugins = ["io.containerd.differ.v1.walking"]',
      ),
      /^containerd: load required plugin io\.containerd\.grpc\.v1\.tasks: no plugins registered for io\.containerd\.differ\.v1: plugin: not found$/m,
    );
    assert.match(
      await run('disabled_plugins = ["io.containerd.metadata.v1.sqlite"]'),
      /^containerd: load required plugin io\.containerd\.runtime\.v2\.task: no plugins registered for io\.containerd\.metadata\.v1: plugin: not found$/m,
    );
  });

  it("tells its version and its configuration, and refuses what it does not know", () => {
    const run = (...args: string[]): ReturnType<typeof spawnSync> => spawnSync(binary, args, { encoding: "utf8" });
    assert.match(String(run("--version").stdout), /^containerd \S+ v2\.\d+\.\d+/);
    assert.match(String(run("config", "default").stdout), /^root = "\/var\/lib\/longshore\/containerd"$/m);
    assert.match(
      String(run("config", "default").stdout),
      /^\[plugins\."io\.containerd\.gc\.v1\.scheduler"\]\npause_threshold = 0\.02$/m,
    );
    const { status, stderr } = run("--bogus");
    assert.deepEqual([status, stderr], [1, "containerd: flag provided but not defined: -bogus\n"]);
  });
});
