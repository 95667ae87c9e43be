import { type Socket, connect as netConnect, createServer } from "node:net";
import type { Address, Listener, SocketEvents, StreamSocket } from "./socket.ts";

function bind(socket: Socket, events: SocketEvents): void {
  let failure: Error | undefined;
  socket.on("data", (chunk: Buffer) => events.received(chunk));
  socket.on("drain", () => events.drained());
  socket.on("error", (error) => {
    failure = error;
    socket.destroy();
  });
  socket.once("close", () => events.closed(failure));
}

/** Connects to a unix socket. @throws the system's error */
export function connect(path: string, events: SocketEvents): Promise<StreamSocket> {
  return new Promise((resolve, reject) => {
    const socket = netConnect({ path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      bind(socket, events);
      resolve(socket);
    });
  });
}

/** Listens; `accept` gives who is told of a new connection's events. @throws the system's error */
export function listen(where: Address, accept: (socket: StreamSocket) => SocketEvents): Promise<Listener> {
  const server = createServer((socket) => bind(socket, accept(socket)));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      // A connection that cannot be accepted, for want of descriptors or memory, is no end of all others.
      server.on("error", () => undefined);
      resolve({ close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}
