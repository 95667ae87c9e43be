import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from "node:fs";
import { create, fromBinary, toBinary } from "@longshore/proto/message";
import { CreateTaskRequestSchema, CreateTaskResponseSchema } from "@longshore/proto/containerd/task/v3/task";
import { dup2 } from "@longshore/sys";
import { parseStartInput } from "./bootstrap-params.ts";
import type { Flags } from "./flags.ts";
import { ownCommand } from "../self.ts";
import { serve } from "../service/server.ts";
import { openSocket, printAddress, serverArguments, settle } from "./start.ts";

/** The one line that a waiting shim reads on stdin, as JSON. */
interface Assignment {
  namespace: string;
  id: string;
  bundle: string;
  /** What `start` would read on stdin, in base64. */
  input: string;
}

/**
 * `prepare`: waits, with all its code loaded, until stdin names a task, then does what `start`
 * does, but is itself the server. Ends when stdin does: its containerd is gone, or wants it no more.
 */
export async function prepare(idle: Flags): Promise<"ends" | "serves"> {
  warmUp();
  const line = readLine(0);
  if (line === undefined) return "ends";
  const { namespace, id, bundle, input: encoded } = JSON.parse(line) as Assignment;
  const flags = { ...idle, namespace, id, action: "" };
  process.chdir(bundle);
  process.env["NAMESPACE"] = namespace;
  const input = parseStartInput(Buffer.from(encoded, "base64"), flags);
  const { path, listener } = await openSocket(flags, input);
  if (listener === undefined) {
    printAddress(path, input);
    return "ends";
  }
  try {
    settle(process.pid, input);
    showArguments([...ownCommand(), ...serverArguments(flags)]);
    printAddress(path, input);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  detachStdio();
  await serve(flags, { fd: listener, path, ttrpcAddress: input.ttrpcAddress ?? process.env["TTRPC_ADDRESS"] });
  return "serves";
}

/** The first message of a kind costs most: it is had before anybody waits for it. */
function warmUp(): void {
  fromBinary(
    CreateTaskRequestSchema,
    toBinary(
      CreateTaskRequestSchema,
      create(CreateTaskRequestSchema, {
        id: "x",
        rootfs: [{ type: "x", options: ["x"] }],
        options: { typeUrl: "x", value: new Uint8Array(1) },
      }),
    ),
  );
  toBinary(CreateTaskResponseSchema, create(CreateTaskResponseSchema, { pid: 1 }));
}

/** Blocks until a whole line is there; nothing at the end of the input. */
function readLine(fd: number): string | undefined {
  const chunk = Buffer.alloc(4096);
  let text = "";
  for (;;) {
    const length = readSync(fd, chunk);
    if (length === 0) return undefined;
    text += chunk.toString("latin1", 0, length);
    const end = text.indexOf("\n");
    if (end >= 0) return Buffer.from(text.slice(0, end), "latin1").toString("utf8");
  }
}

/** Whoever lists processes sees whom this one serves; what does not fit in the old command line is cut. */
function showArguments(args: readonly string[]): void {
  // the fields after the name, which may hold anything; 48 and 49 of proc_pid_stat(5)
  const fields = readFileSync("/proc/self/stat", "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  const [start, end] = [Number(fields[45]), Number(fields[46])];
  const room = Buffer.alloc(end - start);
  Buffer.from(args.map((arg) => `${arg}\0`).join("")).copy(room, 0, 0, room.length - 1);
  const memory = openSync("/proc/self/mem", "r+");
  try {
    writeSync(memory, room, 0, room.length, start);
  } finally {
    closeSync(memory);
  }
}

function detachStdio(): void {
  const nothing = openSync("/dev/null", "r+");
  for (const fd of [0, 1, 2]) dup2(nothing, fd);
  closeSync(nothing);
}
