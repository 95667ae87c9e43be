import { connect, createServer, type Server, Socket } from "node:net";
import { AF, SOCK, socketInNetns } from "@longshore/sys";

// What tests of networks talk by.

/** Answers each TCP connection with the text it has when the client has ended, from inside a namespace. */
export async function echoIn(netns: string, address: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const from = socket.remoteAddress ?? "";
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on("end", () => socket.end(`${Buffer.concat(chunks).toString()} from ${from}`));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) =>
    server.listen({ fd: socketInNetns(netns, AF.INET, SOCK.STREAM, 0, { address, port }) }, resolve),
  );
  return server;
}

export async function exchange(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.end("hello");
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export function from(netns: string, address: string, port: number): Socket {
  const fd = socketInNetns(netns, AF.INET, SOCK.STREAM, 0, { address, port, connect: true });
  return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
}

export const dial = (host: string, port: number) => connect({ host, port, allowHalfOpen: true });
