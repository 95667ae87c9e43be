import { addon } from "../addon.ts";

const native = addon as {
  unixListen(directory: string, name: string, backlog: number): number;
  receiveFd(listener: number): number;
  sendFd(socket: number, fd: number): void;
  resizePty(fd: number, columns: number, rows: number): void;
};

/** A listening unix socket at `directory/name`, however long the directory's path is. */
export function unixListen(directory: string, name: string, backlog = 128): number {
  return native.unixListen(directory, name, backlog);
}

/** Accepts a connection that already waits (EAGAIN when none does) and returns the descriptor sent on it (SCM_RIGHTS). */
export function receiveFd(listener: number): number {
  return native.receiveFd(listener);
}

/** Sends a copy of `fd` with one byte over a connected unix socket (SCM_RIGHTS), which must have room (EAGAIN). */
export function sendFd(socket: number, fd: number): void {
  native.sendFd(socket, fd);
}

/** Sets the window size of a pty by its master. */
export function resizePty(master: number, columns: number, rows: number): void {
  native.resizePty(master, columns, rows);
}
