import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Server as HttpServer, createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { gunzipSync } from "node:zlib";
import { decodeMulti } from "@msgpack/msgpack";

/** A log server of the test's own, and what it was sent. */
export interface Receiver<T> {
  readonly port: number;
  readonly received: T[];
  /** Ends it as a kill would: connections break. */
  close(): Promise<void>;
}

/** Serves a port, a chosen one to come back at the same place, and hands whole connections' bytes on as they come. */
async function serveTcp(
  port: number,
  take: (held: Buffer, socket: Socket) => Buffer,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    let held: Buffer = Buffer.alloc(0);
    sockets.add(socket);
    socket
      .on("data", (data: Buffer) => (held = take(Buffer.concat([held, data]), socket)))
      .on("error", () => undefined)
      .once("close", () => sockets.delete(socket));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
  };
}

/** Messages that end in a byte: syslog's in a newline, GELF's in a zero. */
export async function delimited(end: number, port = 0): Promise<Receiver<string>> {
  const received: string[] = [];
  const server = await serveTcp(port, (held) => {
    let rest = held;
    for (let at = rest.indexOf(end); at >= 0; at = rest.indexOf(end)) {
      received.push(rest.toString("utf8", 0, at));
      rest = rest.subarray(at + 1);
    }
    return rest;
  });
  return { ...server, received };
}

export type FluentMessage = [tag: string, time: unknown, record: Record<string, string>];

/** Messages of the Forward protocol, one each. */
export async function forwarded(): Promise<Receiver<FluentMessage>> {
  const received: FluentMessage[] = [];
  const server = await serveTcp(0, (held) => {
    // Small messages: one read has whole ones.
    for (const message of decodeMulti(held)) received.push(message as FluentMessage);
    return Buffer.alloc(0);
  });
  return { ...server, received };
}

/** Gzipped GELF datagrams. */
export async function gelfDatagrams(): Promise<Receiver<string>> {
  const received: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message) => received.push(gunzipSync(message).toString()));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    received,
    close: async () => {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

/** Splunk's HTTP event collector: what came, with the headers before it. */
export async function collector(): Promise<Receiver<{ method: string; authorization: string; body: string }>> {
  const received: { method: string; authorization: string; body: string }[] = [];
  const server: HttpServer = createHttpServer((request, response) => {
    let body = "";
    request
      .on("data", (chunk: Buffer) => (body += chunk.toString()))
      .once("end", () => {
        received.push({ method: request.method ?? "", authorization: request.headers.authorization ?? "", body });
        response.end("{}");
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
