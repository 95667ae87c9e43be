import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type LongshoreError, grpcCodeOf, messageOf } from "@longshore/errdefs";
import type { ServiceClient } from "@longshore/proto";
import { Events } from "@longshore/proto/containerd/services/events/ttrpc/v1/events";
import { Task } from "@longshore/proto/containerd/task/v3/task";
import { Connection, Server, createClient, namespaceKey } from "@longshore/ttrpc";
import { repository, tool } from "../engine/tools.ts";
import { exec as execute, must } from "../host/exec.ts";
import { removeCgroupParents } from "../host/state.ts";
import { until } from "../host/until.ts";

const run = promisify(execFile);

type Client = ServiceClient<typeof Task>;
type Step = [title: string, call: (task: Client) => Promise<unknown>];

const id = "t";
const spec = (args: string[]) => ({
  typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
  value: Buffer.from(JSON.stringify({ user: { uid: 0, gid: 0 }, args, env: ["PATH=/bin"], cwd: "/" })),
});
const resources = {
  typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
  value: Buffer.from('{"memory":{"limit":33554432}}'),
};
const exec = (execId: string, ...args: string[]): Step => [
  `exec ${execId}`,
  (t) => t.exec({ id, execId, spec: spec(args) }),
];

/** Where runc makes a folder before it asks criu, which is missing. */
const checkpoints = `/tmp/ls-checkpoints-${process.pid}`;

/** Every call on one process. */
const onProcess = (execId: string): Step[] => [
  [`state ${execId}`, (t) => t.state({ id, execId })],
  [`kill ${execId}`, (t) => t.kill({ id, execId, signal: 0 })],
  [`resize ${execId}`, (t) => t.resizePty({ id, execId, width: 80, height: 24 })],
  [`closeIO ${execId}`, (t) => t.closeIO({ id, execId, stdin: true })],
];
const onTask: Step[] = [
  ["resume", (t) => t.resume({ id })],
  ["checkpoint", (t) => t.checkpoint({ id, path: checkpoints })],
  ["connect", async (t) => (await t.connect({ id })).taskPid > 0],
  ["stats", async (t) => (await t.stats({ id })).stats?.typeUrl],
  ["pids", async (t) => (await t.pids({ id })).processes.length],
  ["start of an unknown exec", (t) => t.start({ id, execId: "nope" })],
  ["delete of an unknown exec", (t) => t.delete({ id, execId: "nope" })],
  ["wait for an unknown exec", (t) => t.wait({ id, execId: "nope" })],
  ...onProcess("nope"),
];
const ended: Step[] = [
  ["start", (t) => t.start({ id })],
  ["pause", (t) => t.pause({ id })],
  ["update", (t) => t.update({ id, resources })],
  exec("late", "true"),
  ["wait", (t) => t.wait({ id })],
  ["kill of all", (t) => t.kill({ id, signal: 9, all: true })],
  ...onProcess(""),
  ...onTask,
];

// The stock shim crashes later on when an exec that runs, or that failed to start, is started again.
const phases: Record<string, Step[]> = {
  "before the creation": [
    ...ended,
    ["delete", (t) => t.delete({ id })],
    ["shutdown of another", (t) => t.connect({ id: "other" }).then(() => true)],
  ],
  created: [
    ["pause", (t) => t.pause({ id })],
    ...onProcess(""),
    ...onTask,
    ["update", (t) => t.update({ id, resources })],
    exec("early", "true"),
    exec("early", "true"),
    ...onProcess("early"),
    ["delete early", (t) => t.delete({ id, execId: "early" })],
    ...onProcess("early"),
  ],
  running: [
    ["start", (t) => t.start({ id })],
    ["start again", (t) => t.start({ id })],
    ["delete", (t) => t.delete({ id })],
    ...onProcess(""),
    ...onTask,
    ["update", (t) => t.update({ id, resources })],
    exec("e", "sleep", "300"),
    ["delete of a created exec's twin", (t) => t.delete({ id, execId: "f" })],
    ["start e", (t) => t.start({ id, execId: "e" })],
    ["delete e", (t) => t.delete({ id, execId: "e" })],
    ...onProcess("e"),
    ["kill e", (t) => t.kill({ id, execId: "e", signal: 9 })],
    ["wait e", (t) => t.wait({ id, execId: "e" })],
    ...onProcess("e"),
    ["start e once more", (t) => t.start({ id, execId: "e" })],
    exec("e", "true"),
    ["delete e", (t) => t.delete({ id, execId: "e" })],
    ["delete e again", (t) => t.delete({ id, execId: "e" })],
    exec("bad", "/nosuch"),
    ["start bad", (t) => t.start({ id, execId: "bad" })],
    ...onProcess("bad"),
    ["wait bad", (t) => t.wait({ id, execId: "bad" })],
    ["delete bad", (t) => t.delete({ id, execId: "bad" })],
    exec("waits", "sleep", "300"),
  ],
  paused: [
    ["pause", (t) => t.pause({ id })],
    ["pause again", (t) => t.pause({ id })],
    ["start", (t) => t.start({ id })],
    ["delete", (t) => t.delete({ id })],
    exec("p", "true"),
    ["state", (t) => t.state({ id })],
    ["state waits", (t) => t.state({ id, execId: "waits" })],
    ["resume", (t) => t.resume({ id })],
  ],
  stopped: [
    ["kill", (t) => t.kill({ id, signal: 9 })],
    ["wait", (t) => t.wait({ id })],
    ...ended,
    ["start waits", (t) => t.start({ id, execId: "waits" })],
    ["delete", (t) => t.delete({ id })],
  ],
  deleted: [...ended, ["delete", (t) => t.delete({ id })]],
};

/** A shim without containerd: an events server that takes all, and a bundle with busybox in it. */
class RawShim {
  readonly #binary: string;
  readonly #dir: string;
  readonly #namespace: string;
  readonly #events = new Server().add(Events, { forward: () => ({}) });
  #log = -1;
  #connection!: Connection;
  #task!: Client;

  constructor(binary: string, dir: string, namespace: string) {
    this.#binary = binary;
    this.#dir = dir;
    this.#namespace = namespace;
  }

  get #bundle(): string {
    return join(this.#dir, "bundle");
  }

  get #runc(): string {
    return join("/run/containerd/runc", this.#namespace);
  }

  async boot(): Promise<void> {
    const bin = join(this.#dir, "root/bin");
    for (const path of [bin, join(this.#dir, "root/proc"), join(this.#bundle, "rootfs")])
      mkdirSync(path, { recursive: true });
    const busybox = (await must("which", ["busybox"])).trim();
    copyFileSync(busybox, join(bin, "busybox"));
    for (const applet of ["sleep", "true"]) symlinkSync("busybox", join(bin, applet));
    const namespaces = ["pid", "ipc", "uts", "mount"].map((type) => ({ type }));
    const process = { user: { uid: 0, gid: 0 }, args: ["sleep", "300"], env: ["PATH=/bin"], cwd: "/" };
    const config = {
      ociVersion: "1.0.2",
      process,
      root: { path: "rootfs" },
      mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
      linux: { namespaces, cgroupsPath: `/${this.#namespace}/${id}` },
    };
    writeFileSync(join(this.#bundle, "config.json"), JSON.stringify(config));
    // The stock shim wants a reader of its log.
    await must("mkfifo", [join(this.#bundle, "log")]);
    this.#log = openSync(join(this.#bundle, "log"), "r+");
    const ttrpc = join(this.#dir, "e.sock");
    await this.#events.listen({ path: ttrpc });
    const flags = [
      "-namespace",
      this.#namespace,
      "-address",
      join(this.#dir, "c.sock"),
      "-publish-binary",
      "/bin/false",
      "-id",
      id,
      "start",
    ];
    const starting = run(this.#binary, flags, {
      cwd: this.#bundle,
      env: { ...globalThis.process.env, TTRPC_ADDRESS: ttrpc },
    });
    starting.child.stdin?.end();
    const { stdout } = await starting;
    this.#connection = await Connection.open((JSON.parse(stdout) as { address: string }).address);
    this.#task = createClient(Task, this.#connection, { metadata: { [namespaceKey]: this.#namespace } });
  }

  async create(): Promise<void> {
    const rootfs = [{ type: "bind", source: join(this.#dir, "root"), options: ["rbind"] }];
    await this.#task.create({ id, bundle: this.#bundle, rootfs });
  }

  /** What a call answered, or code and text of the error; without pids, times and places. */
  async answer(call: (task: Client) => Promise<unknown>): Promise<unknown> {
    const plain = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value ?? null, (key, field: unknown) =>
          key === "pid"
            ? Number(field) > 0
            : key === "seconds"
              ? when(BigInt(field as bigint))
              : key === "nanos"
                ? undefined
                : field,
        ).replaceAll(this.#dir, "DIR"),
      );
    try {
      return plain(await call(this.#task));
    } catch (error) {
      return [
        grpcCodeOf(error as LongshoreError),
        messageOf(error).replaceAll(this.#dir, "DIR").replaceAll(this.#namespace, "NAMESPACE"),
      ];
    }
  }

  async end(): Promise<void> {
    const { shimPid = 0 } = await this.#task.connect({ id }).catch(() => ({ shimPid: undefined }));
    await execute("runc", ["--root", this.#runc, "delete", "--force", id]);
    await this.#task.delete({ id }).catch(() => undefined);
    await this.#task.shutdown({ id }).catch(() => undefined);
    await until("the shim has ended", () => shimPid === 0 || !existsSync(`/proc/${shimPid}`));
    closeSync(this.#log);
    await this.#events.close();
    removeCgroupParents(this.#namespace);
    rmSync(this.#runc, { recursive: true, force: true });
  }
}

/** A time is chance; that there is none is not. */
function when(seconds: bigint): string {
  return seconds > 0n ? "a time" : String(seconds);
}

describe("the task API: our shim answers as the stock one", () => {
  const dir = mkdtempSync("/tmp/task-api-");
  const shims = [
    new RawShim(
      join(repository, "apps/shim/build/containerd-shim-longshore-v2"),
      join(dir, "o"),
      `e2e-task-o-${process.pid}`,
    ),
    new RawShim(tool("containerd-shim-runc-v2"), join(dir, "s"), `e2e-task-s-${process.pid}`),
  ];

  before(async () => {
    for (const shim of shims) await shim.boot();
  });

  after(async () => {
    rmSync(checkpoints, { recursive: true, force: true });
    for (const shim of shims) await shim.end();
    rmSync(dir, { recursive: true, force: true });
  });

  for (const [phase, steps] of Object.entries(phases)) {
    it(phase, async () => {
      const [ours, stock] = await Promise.all(
        shims.map(async (shim) => {
          if (phase === "created") await shim.create();
          const answers: unknown[] = [];
          for (const [title, call] of steps) answers.push(`${title}: ${JSON.stringify(await shim.answer(call))}`);
          return answers;
        }),
      );
      assert.deepEqual(ours, stock);
    });
  }
});
