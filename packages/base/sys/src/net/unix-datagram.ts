import { addon } from "../addon.ts";

const native = addon as { sendUnixDatagram(path: string, bytes: Uint8Array): void };

/**
 * Sends one datagram to a unix socket, which Node cannot do, without waiting: a receiver whose queue is full throws EAGAIN,
 * one that is not there ECONNREFUSED or ENOENT. @param path in the file system or, after an `@`, of the abstract namespace
 */
export function sendUnixDatagram(path: string, bytes: Uint8Array): void {
  native.sendUnixDatagram(path, bytes);
}
