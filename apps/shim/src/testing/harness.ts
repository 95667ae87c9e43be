import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { type ServiceClient, unpackAny } from "@longshore/proto";
import { type TaskExit, TaskExitSchema } from "@longshore/proto/containerd/events/events";
import { OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { Events } from "@longshore/proto/containerd/services/events/ttrpc/v1/events";
import { type DeleteResponse, DeleteResponseSchema, Task } from "@longshore/proto/containerd/task/v3/task";
import { packAny } from "@longshore/proto";
import { Connection, Server, createClient } from "@longshore/ttrpc";
import { unmountAll } from "@longshore/sys";

const binary = fileURLToPath(new URL("../../build/containerd-shim-longshore-v2", import.meta.url));
const applets = [
  "sh",
  "cat",
  "sleep",
  "printf",
  "head",
  "yes",
  "echo",
  "true",
  "stty",
  "seq",
  "kill",
  "dd",
  "tail",
  "tr",
  "id",
];

export interface TestEvent {
  topic: string;
  event: Parameters<typeof unpackAny>[0];
}

/** A folder with a busybox root and an events server in the place of containerd, for one test file. */
export class Harness {
  readonly dir = mkdtempSync(join(tmpdir(), "longshore-shim-"));
  readonly events: TestEvent[] = [];
  readonly #waiting = new Set<() => void>();
  readonly ttrpcAddress = join(this.dir, "containerd.sock.ttrpc");
  #server: Server | undefined;

  constructor() {
    const rootfs = join(this.dir, "rootfs");
    for (const name of ["bin", "proc", "dev", "sys", "tmp"]) mkdirSync(join(rootfs, name), { recursive: true });
    copyFileSync("/usr/bin/busybox", join(rootfs, "bin/busybox"));
    for (const name of applets) symlinkSync("busybox", join(rootfs, "bin", name));
  }

  async listen(): Promise<void> {
    this.#server = new Server().add(Events, {
      forward: ({ envelope }) => {
        this.events.push({ topic: envelope!.topic, event: envelope!.event });
        for (const wake of this.#waiting) wake();
        return {};
      },
    });
    await this.#server.listen({ path: this.ttrpcAddress });
  }

  /** containerd goes away. */
  async silence(): Promise<void> {
    await this.#server?.close();
    rmSync(this.ttrpcAddress, { force: true });
  }

  /** The first event of `topic` that `wanted` accepts, past ones included. */
  async event<D extends DescMessage>(
    topic: string,
    schema: D,
    wanted: (event: MessageShape<D>) => boolean,
  ): Promise<MessageShape<D>> {
    for (;;) {
      for (const event of this.events) {
        const message = event.topic === topic ? unpackAny(event.event, schema) : undefined;
        if (message !== undefined && wanted(message)) return message;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  exitOf(id: string): Promise<TaskExit> {
    return this.event("/tasks/exit", TaskExitSchema, (exit) => exit.id === id);
  }

  async close(): Promise<void> {
    await this.silence();
    for (const controller of readdirSync("/sys/fs/cgroup")) {
      const folder = join("/sys/fs/cgroup", controller, "longshore-shim-test");
      if (existsSync(folder)) rmdirSync(folder);
    }
    if (existsSync("/sys/fs/cgroup/longshore-shim-test")) rmdirSync("/sys/fs/cgroup/longshore-shim-test");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface TaskOptions {
  args: string[];
  terminal?: boolean;
  /** No own pid namespace. */
  hostPid?: boolean;
  limits?: object;
  annotations?: Record<string, string>;
}

/** A container under the compiled shim, driven as containerd does. */
export class TestTask {
  readonly id: string;
  readonly bundle: string;
  readonly harness: Harness;
  connection!: Connection;
  task!: ServiceClient<typeof Task>;
  address = "";

  constructor(harness: Harness, id: string, options: TaskOptions) {
    this.harness = harness;
    this.id = id;
    this.bundle = join(harness.dir, `bundle-${id}`);
    mkdirSync(join(this.bundle, "rootfs"), { recursive: true });
    const namespaces = ["ipc", "uts", "mount", ...(options.hostPid === true ? [] : ["pid"])].map((type) => ({ type }));
    const capabilities = Object.fromEntries(["bounding", "effective", "permitted"].map((set) => [set, ["CAP_KILL"]]));
    const config = {
      ociVersion: "1.0.2",
      process: {
        terminal: options.terminal ?? false,
        user: { uid: 0, gid: 0 },
        args: options.args,
        env: ["PATH=/bin"],
        cwd: "/",
        capabilities,
      },
      root: { path: "rootfs" },
      annotations: options.annotations,
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", type: "tmpfs", source: "tmpfs" },
        { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"] },
      ],
      linux: { namespaces, cgroupsPath: `/longshore-shim-test/${id}`, resources: options.limits ?? {} },
    };
    writeFileSync(join(this.bundle, "config.json"), JSON.stringify(config));
  }

  #flags(): string[] {
    return [
      "-namespace",
      "test",
      "-address",
      join(this.harness.dir, "containerd.sock"),
      "-publish-binary",
      "/nowhere/containerd",
      "-id",
      this.id,
    ];
  }

  /** `start` for a caller that is gone before the answer; gives its exit code. */
  async bootUnheard(): Promise<unknown> {
    const env = { ...process.env, TTRPC_ADDRESS: this.harness.ttrpcAddress };
    const child = spawn(binary, [...this.#flags(), "start"], {
      cwd: this.bundle,
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    child.stdout.destroy();
    return (await once(child, "exit"))[0];
  }

  /** A shim that waits (`prepare`) is given the task; `undefined` for its input: it is let go. */
  async prepare(assigned = true): Promise<{ pid: number; output: string; status: Promise<number | null> }> {
    const child = spawn(binary, [...this.#flags().slice(2, 6), "prepare", "-".repeat(320)], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
      env: { ...process.env, TTRPC_ADDRESS: this.harness.ttrpcAddress },
    });
    const status = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = once(child.stdout, "end");
    if (assigned)
      child.stdin.write(`${JSON.stringify({ namespace: "test", id: this.id, bundle: this.bundle, input: "" })}\n`);
    else child.stdin.end();
    await ended;
    child.stdin.destroy();
    return { pid: child.pid!, output: Buffer.concat(chunks).toString("utf8"), status };
  }

  /** `start`, then a connection to what it names. */
  async boot(input: Uint8Array = new Uint8Array()): Promise<string> {
    const env = { ...process.env, TTRPC_ADDRESS: this.harness.ttrpcAddress };
    const started = spawnSync(binary, [...this.#flags(), "start"], { cwd: this.bundle, env, input });
    if (started.status !== 0) throw new Error(`start failed: ${started.stdout}${started.stderr}`);
    const output = started.stdout.toString();
    this.address = /unix:\/\/[^"]*\/[0-9a-f]{64}/.exec(output)![0];
    this.connection = await Connection.open(this.address);
    this.task = createClient(Task, this.connection);
    return output;
  }

  create(
    stdio: { stdin?: string; stdout?: string; stderr?: string; terminal?: boolean } = {},
  ): Promise<{ pid: number }> {
    return this.task.create({
      id: this.id,
      bundle: this.bundle,
      rootfs: [{ type: "bind", source: join(this.harness.dir, "rootfs"), options: ["rbind", "ro"] }],
      options: packAny(OptionsSchema, { root: join(this.harness.dir, "runc") }),
      ...stdio,
    });
  }

  /** Boots, creates and starts. */
  async run(stdio: Parameters<TestTask["create"]>[0] = {}): Promise<number> {
    await this.boot();
    const { pid } = await this.create(stdio);
    await this.task.start({ id: this.id });
    return pid;
  }

  logUri(query: Record<string, string> = {}): string {
    return `longshore://${join(this.bundle, "x.log")}?${new URLSearchParams({ attach: this.attachPath, ...query })}`;
  }

  get attachPath(): string {
    return join(this.bundle, "attach.sock");
  }

  records(file = "x.log"): { log: string; stream: string; time: string }[] {
    return readFileSync(join(this.bundle, file), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { log: string; stream: string; time: string });
  }

  async attach(greeting: object): Promise<Attachment> {
    const socket = connect({ path: this.attachPath, allowHalfOpen: true });
    socket.write(`${JSON.stringify(greeting)}\n`);
    return Attachment.open(socket);
  }

  /** As containerd does when the shim is gone. */
  shimDelete(): DeleteResponse {
    return fromBinary(
      DeleteResponseSchema,
      execFileSync(binary, [...this.#flags(), "-bundle", this.bundle, "delete"], {
        cwd: this.bundle,
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
  }

  /** Deletes the task if there is one, ends the shim, and says what is left behind. */
  async finish(): Promise<string[]> {
    const { shimPid } = await this.task.connect({ id: this.id });
    await this.task.delete({ id: this.id }).catch(() => undefined);
    await this.task.shutdown({ id: this.id });
    await this.connection.closed;
    while (alive(shimPid)) await new Promise((resolve) => setImmediate(resolve));
    return this.leftovers();
  }

  leftovers(): string[] {
    const mounts = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(this.bundle));
    const files = readdirSync(this.bundle).filter(
      (name) => !["config.json", "rootfs", "init.exit"].includes(name) && !name.startsWith("x.log"),
    );
    const states = existsSync(join(this.harness.dir, "runc/test", this.id)) ? ["runc state"] : [];
    const cgroups = existsSync(`/sys/fs/cgroup/memory/longshore-shim-test/${this.id}`) ? ["cgroup"] : [];
    const sockets = existsSync(this.address.replace("unix://", "")) ? ["socket"] : [];
    return [...mounts, ...files, ...states, ...cgroups, ...sockets];
  }

  /** Whatever happened: no process, mount or connection outlives the test. */
  async abandon(): Promise<void> {
    const shimPid = await this.task?.connect({ id: this.id }).then(
      (answer) => answer.shimPid,
      () => 0,
    );
    this.connection?.close();
    if (shimPid) process.kill(shimPid, "SIGKILL");
    if (existsSync(join(this.harness.dir, "runc/test", this.id)))
      spawnSync("runc", ["--root", join(this.harness.dir, "runc/test"), "delete", "--force", this.id]);
    unmountAll(join(this.bundle, "rootfs"));
    rmSync(this.address.replace("unix://", ""), { force: true });
  }
}

export function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A client of the attach socket. */
export class Attachment {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake?.();
    });
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.once("end", () => socket.end());
  }

  static async open(socket: Socket): Promise<Attachment> {
    return new Attachment(socket);
  }

  /** Waits for, and takes, the first line. */
  async reply(): Promise<object> {
    await this.until((data) => data.includes(10));
    const end = this.#received.indexOf(10);
    const line = this.#received.toString("utf8", 0, end);
    this.#received = this.#received.subarray(end + 1);
    return JSON.parse(line) as object;
  }

  async until(wanted: (data: Buffer) => boolean): Promise<void> {
    while (!wanted(this.#received)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  get received(): Buffer {
    return this.#received;
  }

  /** The payloads of stdcopy frames, by stream. */
  get frames(): { stdout: string; stderr: string } {
    const streams: [string, string, string] = ["", "", ""];
    for (let i = 0; i + 8 <= this.#received.length;) {
      const length = this.#received.readUInt32BE(i + 4);
      streams[this.#received[i]!] += this.#received.toString("latin1", i + 8, i + 8 + length);
      i += 8 + length;
    }
    return { stdout: streams[1], stderr: streams[2] };
  }
}
