import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { InvalidArgument } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { maxHeaderSize } from "../server/head/head.ts";
import { headFirst, serveExpectations } from "../server/head/serve-head.ts";
import { serveTakeovers } from "../server/takeover/takeover.ts";
import { activatedSockets } from "./activation.ts";
import { type Address, hostAndPort } from "./address.ts";
import { answerClientErrors } from "./client-error.ts";
import { HalfClosed } from "./half-close.ts";
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

const serverOptions = {
  /** Idle connections of clients stay open, and requests such as `events` have no end. */
  keepAliveTimeout: 0,
  requestTimeout: 0,
  headersTimeout: 60_000,
  maxHeaderSize,
  /** It is told of in the words of Go's server. */
  requireHostHeader: false,
  /** What asks for another protocol elsewhere than where there is one is a request like any other. */
  shouldUpgradeCallback: () => false,
  /** As Go's servers do: a client whose machine is gone is noticed. */
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
};

/** How many connections may wait to be accepted: the kernel makes it as many as any listener may have, as Go's listeners ask for. */
const longestQueue = 2 ** 31 - 1;

const halfClosed = new HalfClosed();

function createApiServer(served: RequestListener, settings: ListenSettings, encrypted: boolean): Server {
  const route = headFirst(served);
  const connected = (socket: Socket): void => {
    settings.connected?.(socket);
    halfClosed.watch(socket);
  };
  if (!encrypted) {
    const server = allowHalfOpen(createHttpServer(serverOptions, route)).on("connection", connected);
    answerClientErrors(server);
    serveExpectations(server, route);
    serveTakeovers(server, "connection", route);
    return server;
  }
  const https = allowHalfOpen(createHttpsServer({ ...serverOptions, ...settings.tls }, route));
  https.on("secureConnection", connected);
  https.on("tlsClientError", (error, socket) =>
    settings.log.info({ err: error, client: socket.remoteAddress }, "TLS handshake failed"),
  );
  answerClientErrors(https);
  serveExpectations(https, route);
  serveTakeovers(https, "secureConnection", route);
  return createServer(
    { allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: serverOptions.keepAliveInitialDelay },
    (socket) => acceptTls(https, socket),
  );
}

/** A client that has sent all its input still waits for output. */
function allowHalfOpen<T extends object>(server: T): T {
  return Object.assign(server, { httpAllowHalfOpen: true });
}

async function open(
  server: Server,
  where: ListenOptions | { fd: number },
  address: string,
  log: Logger,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // A unix socket must not be there for others even for a moment.
    const umask = process.umask(0o177);
    server.listen({ ...where, backlog: longestQueue } as ListenOptions, () => {
      server.off("error", reject);
      resolve();
    });
    process.umask(umask);
  });
  // A connection that cannot be accepted, for want of descriptors or memory, is no end of all others.
  server.on("error", (error) => log.warn({ err: error, address }, "a connection could not be accepted"));
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
    return Promise.all(
      activatedSockets(address.name).map(({ fd, unix }) =>
        open(createApiServer(route, settings, !unix && settings.tls !== undefined), { fd }, `fd ${fd}`, settings.log),
      ),
    );
  }
  if (address.scheme === "tcp") {
    const { host, port } = address;
    if (port > 65_535) throw new InvalidArgument(`failed to load listeners: listen tcp: address ${port}: invalid port`);
    return [
      await open(
        createApiServer(route, settings, settings.tls !== undefined),
        { host, port },
        hostAndPort(address),
        settings.log,
      ),
    ];
  }
  const { path } = address;
  await claimPath(path);
  const listener = await open(createApiServer(route, settings, false), { path }, path, settings.log);
  await restrict(path, settings.group, settings.mode ?? 0o660, settings.log);
  return [listener];
}
