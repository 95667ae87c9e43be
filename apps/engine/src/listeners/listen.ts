import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { InvalidArgument } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { serveUpgrades } from "../server/hijack.ts";
import { activatedSockets } from "./activation.ts";
import { type Address, hostAndPort } from "./address.ts";
import { acceptTls } from "./tls-front.ts";
import { claimPath, restrict } from "./unix-socket.ts";

export interface Listener {
  /** Where it listens, as the log tells it. */
  readonly address: string;
  close(): Promise<void>;
}

export interface ListenSettings {
  /** Of a unix socket. */
  group: string;
  /** Of a unix socket; 0660 when left out. */
  mode?: number;
  /** TCP connections are encrypted with this. */
  tls?: TlsOptions | undefined;
  /** Sees each new connection before its first request. */
  connected?: (socket: Socket) => void;
  log: Logger;
}

/** Idle connections of clients stay open, and requests such as `events` have no end. */
const serverOptions = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 60_000 };

function createApiServer(route: RequestListener, settings: ListenSettings, encrypted: boolean): Server {
  const connected = settings.connected ?? (() => undefined);
  if (!encrypted) {
    const server = createHttpServer(serverOptions, route).on("connection", connected);
    serveUpgrades(server, route);
    return server;
  }
  const https = createHttpsServer({ ...serverOptions, ...settings.tls }, route);
  https.on("secureConnection", connected);
  https.on("tlsClientError", (error, socket) => settings.log.info({ err: error, client: socket.remoteAddress }, "TLS handshake failed"));
  serveUpgrades(https, route);
  // A client that has sent all its input still waits for output.
  return createServer({ allowHalfOpen: true }, (socket) => acceptTls(https, socket));
}

async function open(server: Server, where: ListenOptions | { fd: number }, address: string): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // A unix socket must not be there for others even for a moment.
    const umask = process.umask(0o177);
    server.listen(where as ListenOptions, () => {
      server.off("error", reject);
      resolve();
    });
    process.umask(umask);
  });
  return {
    address,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * Listens on one address (several with `fd://`) and serves `route`, upgrades included.
 * @throws InvalidArgument, Unavailable when that is not possible
 */
export async function listen(address: Address, route: RequestListener, settings: ListenSettings): Promise<Listener[]> {
  if (address.scheme === "fd") {
    return Promise.all(activatedSockets(address.name).map(({ fd, unix }) => open(createApiServer(route, settings, !unix && settings.tls !== undefined), { fd }, `fd ${fd}`)));
  }
  if (address.scheme === "tcp") {
    const { host, port } = address;
    if (port > 65_535) throw new InvalidArgument(`failed to load listeners: listen tcp: address ${port}: invalid port`);
    return [await open(createApiServer(route, settings, settings.tls !== undefined), { host, port }, hostAndPort(address))];
  }
  const { path } = address;
  await claimPath(path);
  const listener = await open(createApiServer(route, settings, false), { path }, path);
  await restrict(path, settings.group, settings.mode ?? 0o660, settings.log);
  return [listener];
}
