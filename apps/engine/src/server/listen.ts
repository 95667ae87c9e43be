import { chmod, chown, mkdir, readFile, unlink } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { connect, type ListenOptions, type Socket } from "node:net";
import { dirname } from "node:path";
import { InvalidArgument, Unavailable } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { serveUpgrades } from "./hijack.ts";

export interface Listener {
  readonly address: string;
  close(): Promise<void>;
}

/** @throws InvalidArgument when `host` is no address that the daemon can listen on */
export function parseHost(host: string): { scheme: "unix"; path: string } | { scheme: "tcp"; host: string; port: number } {
  if (host.startsWith("unix://")) return { scheme: "unix", path: host.slice("unix://".length) || "/var/run/docker.sock" };
  const tcp = /^tcp:\/\/(\[[^\]]*\]|[^:/]*)(?::(\d+))?\/?$/.exec(host);
  if (tcp === null) throw new InvalidArgument(`invalid bind address (${host}): unsupported or malformed address`);
  const port = tcp[2] === undefined ? 2375 : Number(tcp[2]);
  if (port > 65535) throw new InvalidArgument(`invalid bind address (${host}): should have a port between 0 and 65535`);
  return { scheme: "tcp", host: (tcp[1] ?? "").replace(/^\[|\]$/g, "") || "localhost", port };
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/** Makes way for our socket: a dead one is removed, a live one is somebody else's. */
async function claimPath(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (await answers(path)) throw new Unavailable(`can't create unix socket ${path}: another daemon listens on it`);
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

async function groupId(name: string): Promise<number | undefined> {
  if (/^\d+$/.test(name)) return Number(name);
  const line = (await readFile("/etc/group", "utf8")).split("\n").find((entry) => entry.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(":")[2]);
}

/** Only root and the group may talk to the daemon; a missing default group is no error, as with Docker. */
async function restrict(path: string, group: string, log: Logger): Promise<void> {
  await chmod(path, 0o660);
  if (group === "") return;
  const gid = await groupId(group);
  if (gid !== undefined) await chown(path, 0, gid);
  else if (group !== "docker") throw new InvalidArgument(`group ${group} not found`);
  else log.debug(`could not change group ${path} to docker: group docker not found`);
}

/** Listens on one `-H` address and serves `route`, upgrades included. */
export async function listen(host: string, route: RequestListener, options: { group: string; log: Logger }): Promise<Listener> {
  const address = parseHost(host);
  const server: Server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 60_000 }, route);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  serveUpgrades(server, route);
  let where: ListenOptions;
  if (address.scheme === "unix") {
    await claimPath(address.path);
    where = { path: address.path };
  } else {
    where = { host: address.host, port: address.port };
    options.log.warn(`[DEPRECATION NOTICE] the API on ${host} is open to everybody who reaches it: it gives root access to this host`);
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, resolve);
  });
  if (address.scheme === "unix") await restrict(address.path, options.group, options.log);
  return {
    address: host,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}
