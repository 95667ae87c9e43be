import { chmodSync, closeSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@longshore/proto/message";
import { BootstrapResultSchema } from "@longshore/proto/containerd/runtime/bootstrap/v1/bootstrap";
import { spawn, unixListen } from "@longshore/sys";
import { type StartInput, parseStartInput } from "./bootstrap-params.ts";
import { joinShimCgroup } from "../cgroup/join.ts";
import type { Flags } from "./flags.ts";
import { ownCommand, serverEnvironment } from "../self.ts";
import { groupOf, socketFolder, socketName } from "./socket-address.ts";

/** `start`: finds or starts the server of the task's group and prints its address. cwd is the bundle. */
export async function start(flags: Flags): Promise<void> {
  const input = parseStartInput(readStdin(), flags);
  const { path, listener } = await openSocket(flags, input);
  let server: number | undefined;
  if (listener !== undefined) {
    try {
      server = startServer(flags, listener, path, input.ttrpcAddress);
      settle(server, input);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(listener);
    }
  }
  try {
    printAddress(path, input);
  } catch (error) {
    // Whoever asked was killed meanwhile: nobody would ever end a server that nobody knows of.
    if (server !== undefined) {
      process.kill(server, "SIGKILL");
      rmSync(path, { force: true });
    }
    throw error;
  }
}

/** The socket of the task's group; without a listener when a server answers there already. cwd is the bundle. */
export async function openSocket(
  flags: Flags,
  input: StartInput,
): Promise<{ path: string; listener: number | undefined }> {
  const folder = input.socketFolder ?? socketFolder();
  const name = await socketName(flags.address, flags.namespace, groupOf(process.cwd(), flags.id));
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const listener = await listen(folder, name);
  if (listener !== undefined) chmodSync(path, 0o600);
  return { path, listener };
}

/** Puts a server where the options want it, and before its manager in the kernel's choice of whom to kill. */
export function settle(pid: number, { options }: StartInput): void {
  if (options.shimCgroup !== "") joinShimCgroup(pid, options.shimCgroup);
  preferToKill(pid);
}

/** Tells containerd on stdout where the server is. */
export function printAddress(path: string, { binaryResult }: StartInput): void {
  const result = { version: 3, address: `unix://${path}`, protocol: "ttrpc" };
  writeSync(
    1,
    binaryResult
      ? toBinary(BootstrapResultSchema, create(BootstrapResultSchema, result))
      : Buffer.from(JSON.stringify(result)),
  );
}

function readStdin(): Buffer {
  try {
    return readFileSync(0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBADF") return Buffer.alloc(0); // started without one
    throw error;
  }
}

/** A new listening socket, or undefined when a server already answers there. */
async function listen(folder: string, name: string): Promise<number | undefined> {
  for (;;) {
    try {
      return unixListen(folder, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      if (await answers(join(folder, name))) return undefined;
      rmSync(join(folder, name), { force: true });
    }
  }
}

/** Whether something accepts connections on a unix socket. */
export function answers(path: string): Promise<boolean> {
  // seldom needed, and a server that has loaded it keeps a megabyte
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}

function startServer(flags: Flags, listener: number, path: string, ttrpcAddress: string | undefined): number {
  const [command, ...args] = ownCommand() as [string, ...string[]];
  const env = {
    ...serverEnvironment(),
    LONGSHORE_SHIM_SOCKET: path,
    ...(ttrpcAddress === undefined ? {} : { TTRPC_ADDRESS: ttrpcAddress }),
  };
  return spawn(command, {
    argv: [command, ...args, ...serverArguments(flags)],
    env,
    fds: [-1, -1, -1, listener],
    setpgid: true,
  });
}

/** What a server's command line says. */
export function serverArguments({ namespace, id, address, publishBinary, debug }: Flags): string[] {
  return [
    "-namespace",
    namespace,
    "-id",
    id,
    "-address",
    address,
    "-publish-binary",
    publishBinary,
    ...(debug ? ["-debug"] : []),
  ];
}

/** One more than containerd's own score: the kernel takes a shim before its manager. */
function preferToKill(pid: number): void {
  const score = Number(readFileSync(`/proc/${process.ppid}/oom_score_adj`, "utf8"));
  writeFileSync(`/proc/${pid}/oom_score_adj`, String(Math.min(score + 1, 1000)));
}
