// A shim without containers, for tests: `start`, `delete` and the task API, told by files in the
// bundle what to do. Run by Node; prints its bootstrap as JSON, as shims before 2.3 do.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampNow } from "@bufbuild/protobuf/wkt";
import { AlreadyExists, NotFound, Unknown } from "@longshore/errdefs";
import { DeleteResponseSchema, Task } from "@longshore/proto/containerd/task/v3/task";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { Connection, Server } from "@longshore/ttrpc";

if (process.argv.includes("prepare")) await wait();
const [bundle, id] = [process.cwd(), process.argv[process.argv.indexOf("-id") + 1]!];
const sockets = process.env["FAKE_SHIM_SOCKETS"]!;
const path = join(sockets, `${basename(join(bundle, ".."))}-${id}`);
const action = process.argv.at(-1);
appendFileSync(join(sockets, "actions"), `${action === "start" || action === "delete" ? action : "serve"} ${id}\n`);

/** Goes where the line on stdin says, and does there what `start` does. Ends with its input. */
async function wait(): Promise<void> {
  appendFileSync(join(process.env["FAKE_SHIM_SOCKETS"]!, "actions"), `prepare ${process.pid}\n`);
  const [line] = (await once(process.stdin, "data")) as [Buffer];
  const assigned = JSON.parse(line.toString()) as { bundle: string; id: string };
  appendFileSync(join(process.env["FAKE_SHIM_SOCKETS"]!, "actions"), `assigned ${assigned.id} ${process.pid}\n`);
  process.chdir(assigned.bundle);
  process.argv.splice(2, Infinity, "-id", assigned.id, "start");
}

/** As real shims do, `start` finds the server that runs already. */
async function begin(): Promise<void> {
  const answer = (): void =>
    void process.stdout.write(JSON.stringify({ version: 3, address: `unix://${path}`, protocol: "ttrpc" }), () =>
      process.exit(0),
    );
  const running = await Connection.open(path).catch(() => undefined);
  if (running !== undefined) return answer();
  const server = spawn(process.execPath, [import.meta.filename, "-id", id, "serve"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  server.stdout.once("data", answer);
}

interface Process {
  status: Status;
  exitStatus: number;
  exitedAt?: Timestamp;
  ended: PromiseWithResolvers<void>;
}

async function serve(): Promise<void> {
  const processes = new Map<string, Process>();
  const get = (execId: string): Process => {
    const found = processes.get(execId);
    if (found === undefined)
      throw new NotFound(
        execId === "" ? "container not created: not found" : `process does not exist ${execId}: not found`,
      );
    return found;
  };
  const add = (execId: string): void => {
    if (processes.has(execId)) throw new AlreadyExists(`id ${execId}: already exists`);
    processes.set(execId, { status: Status.CREATED, exitStatus: 0, ended: Promise.withResolvers() });
  };
  const server = new Server().add(Task, {
    create() {
      if (existsSync("create-fails")) throw new Unknown(readFileSync("create-fails", "utf8"));
      add("");
      return { pid: process.pid };
    },
    start({ execId }) {
      get(execId).status = Status.RUNNING;
      return { pid: process.pid };
    },
    exec: ({ execId }) => (add(execId), {}),
    state: ({ execId }) => {
      const { status, exitStatus, exitedAt } = get(execId);
      return { id, pid: process.pid, status, exitStatus, ...(exitedAt && { exitedAt }) };
    },
    kill({ execId, signal }) {
      const target = get(execId);
      Object.assign(target, { status: Status.STOPPED, exitStatus: 128 + signal, exitedAt: timestampNow() });
      target.ended.resolve();
      return {};
    },
    async wait({ execId }) {
      const target = get(execId);
      await target.ended.promise;
      return { exitStatus: target.exitStatus, exitedAt: target.exitedAt! };
    },
    delete({ execId }) {
      const { status, exitStatus, exitedAt } = get(execId);
      if (status === Status.RUNNING) throw new Unknown("cannot delete a running process");
      processes.delete(execId);
      return { pid: process.pid, exitStatus, ...(exitedAt && { exitedAt }) };
    },
    shutdown() {
      if (processes.size === 0) setImmediate(() => void server.close().then(() => process.exit(0)));
      return {};
    },
  });
  await server.listen({ path });
  process.stdout.write("ready");
}

if (action === "start") await begin();
else if (action === "delete")
  process.stdout.write(
    toBinary(
      DeleteResponseSchema,
      create(DeleteResponseSchema, { pid: 42, exitStatus: 137, exitedAt: timestampNow() }),
    ),
  );
else await serve();
