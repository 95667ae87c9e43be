import { rmSync } from "node:fs";
import { addon } from "../addon.ts";
import { unmountAll } from "../mount/mount-all.ts";

const native = addon as {
  createNetns(path: string): void;
  writeInNetns(netns: string, path: string, text: string): void;
  socketInNetns(
    path: string,
    domain: number,
    type: number,
    protocol: number,
    address: string | null,
    port: number,
    connect: boolean,
  ): number;
};

/** Makes a network namespace that lives as a bind mount at `path`, which must not exist (EEXIST). */
export function createNetns(path: string): void {
  native.createNetns(path);
}

/** Unmounts and removes a namespace file; the namespace ends with its last process. Absent is no error. */
export function removeNetns(path: string): void {
  unmountAll(path);
  rmSync(path, { force: true });
}

/** Writes `text` into a file below /proc/sys/net, seen from the network namespace at `netns`. Throws as `fs` does, with the file's path. */
export function writeInNetns(netns: string, path: string, text: string): void {
  native.writeInNetns(netns, path, text);
}

export interface SocketInNetnsOptions {
  /** Numeric address to bind, or to connect with `connect`; absent: neither is done. */
  address?: string;
  port?: number;
  connect?: boolean;
}

/**
 * A socket (close-on-exec) that belongs to the network namespace at `path` (a namespace file or
 * /proc/<pid>/ns/net). Stream sockets get SO_REUSEADDR before bind, IPv6 ones IPV6_V6ONLY.
 * `domain` is of `AF`, `type` of `SOCK`. Returns the descriptor, which `net` or `dgram` can adopt.
 */
export function socketInNetns(
  path: string,
  domain: number,
  type: number,
  protocol = 0,
  options: SocketInNetnsOptions = {},
): number {
  return native.socketInNetns(
    path,
    domain,
    type,
    protocol,
    options.address ?? null,
    options.port ?? 0,
    options.connect ?? false,
  );
}
