import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";
import { join } from "node:path";
import { Canceled } from "@longshore/errdefs";
import type { ByteChannel } from "./byte-stream.ts";

/**
 * The request metadata by which a client of the Streaming service says that it shares the machine and
 * would send or read a stream's bytes over a socket of their own. containerd's first message is then a
 * `google.protobuf.StringValue` with the socket's path, else `google.protobuf.Empty`, as always from one
 * that knows nothing of it.
 */
export const byteSocketMetadata = "longshore-byte-socket";

/** Longest path that a unix socket's address holds. */
const maxPath = 107;

function channelOver(socket: Socket): ByteChannel {
  // Told to who reads or writes; nobody may.
  socket.on("error", () => undefined);
  const failed = (): Canceled => new Canceled("stream closed", { cause: socket.errored ?? undefined });
  return {
    async *read() {
      try {
        for await (const chunk of socket) yield chunk as Buffer;
      } catch (error) {
        throw new Canceled("stream closed", { cause: error });
      } finally {
        socket.destroy();
      }
    },
    async write(data) {
      if (socket.destroyed) throw failed();
      if (socket.write(data)) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          socket.off("drain", done).off("close", done);
          resolve();
        };
        // Whoever reads at the other end may go away meanwhile.
        socket.on("drain", done).on("close", done);
      });
      if (socket.destroyed) throw failed();
    },
    async end() {
      if (!socket.destroyed) await new Promise<void>((resolve) => socket.once("close", resolve).end(resolve));
      if (socket.errored) throw failed();
    },
    close: () => void socket.destroy(),
  };
}

/** The server's side: a socket for one connection. */
export interface ByteListener {
  readonly path: string;
  /** Resolves with the client's connection. @throws Canceled when closed before */
  readonly channel: Promise<ByteChannel>;
  close(): void;
}

/**
 * Waits for one connection at a socket in `folder`, which nobody else may open and which exists.
 * @returns undefined when the path is too long for a socket
 */
export async function listenForBytes(folder: string): Promise<ByteListener | undefined> {
  const path = join(folder, randomBytes(6).toString("hex"));
  if (Buffer.byteLength(path) > maxPath) return undefined;
  const { promise, resolve, reject } = Promise.withResolvers<ByteChannel>();
  promise.catch(() => undefined);
  let channel: ByteChannel | undefined;
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    channel = channelOver(socket);
    resolve(channel);
    server.close();
  });
  server.maxConnections = 1;
  server.listen(path);
  await once(server, "listening");
  const close = (): void => {
    server.close();
    channel?.close();
    reject(new Canceled("stream closed"));
  };
  return { path, channel: promise, close };
}

/** The client's side. @throws the system's error when nobody listens there */
export async function connectForBytes(path: string): Promise<ByteChannel> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  return channelOver(socket);
}
