import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { LogEnd } from "@longshore/logging";
import { fromGrpcCode, messageOf, Unavailable } from "@longshore/errdefs";

export interface AttachOptions {
  /** Exec id; empty for the container's init. */
  process: string;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Nothing shall flow until the connection of the real client is handed over with `sendFd`. */
  handover: boolean;
  /** The client is given the log as it is now: nothing shall flow until a byte, or with `handover` the connection, follows. */
  log: boolean;
  /** Bytes that end the attachment when they come in the input, at most as many as `mostDetachKeys`. */
  detachKeys: readonly number[];
}

/** So many keys a shim searches for. */
export const mostDetachKeys = 64;

interface Joined {
  socket: Socket;
  terminal: boolean;
  /** False from a shim that does not know handing over, and serves the socket itself. */
  handover: boolean;
  /** Whether the shim searches for the keys that were named. */
  detachKeys: boolean;
  logEnd: LogEnd | undefined;
}

/**
 * Connects to the attach socket that a shim serves and says what is wanted. After it the socket
 * gives output (stdcopy frames, or raw bytes from a terminal) and takes raw input.
 * A shim that does not know handing over, or detach keys, says so.
 * @throws the error that the shim names, Unavailable when nobody serves the socket
 */
export async function connectAttach(path: string, options: AttachOptions): Promise<Joined> {
  const socket = connect({ path, allowHalfOpen: true });
  try {
    await once(socket, "connect");
  } catch (error) {
    throw new Unavailable(`attach socket ${path}: ${messageOf(error)}`, { cause: error });
  }
  socket.write(`${JSON.stringify(options)}\n`);
  const answer = JSON.parse(await readLine(socket, path)) as {
    terminal?: boolean;
    handover?: boolean;
    detachKeys?: boolean;
    log?: LogEnd;
    error?: string;
    code?: number;
  };
  if (answer.error !== undefined) {
    socket.destroy();
    throw fromGrpcCode(answer.code ?? 2, answer.error);
  }
  return {
    socket,
    terminal: answer.terminal === true,
    handover: answer.handover === true,
    detachKeys: answer.detachKeys === true,
    logEnd: answer.log,
  };
}

/** Reads up to the first line feed and gives back what came behind it. */
async function readLine(socket: Socket, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  const onData = (chunk: Buffer): void => {
    const end = chunk.indexOf(10);
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end < 0) return;
    socket.pause();
    socket.off("data", onData).off("end", onEnd).off("error", reject);
    if (end + 1 < chunk.length) socket.unshift(chunk.subarray(end + 1));
    resolve(Buffer.concat(chunks).toString("utf8"));
  };
  const onEnd = (): void => reject(new Unavailable(`attach socket ${path} closed before it answered`));
  socket.on("data", onData).on("end", onEnd).on("error", reject);
  return promise;
}
