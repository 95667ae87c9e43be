import { addon } from "../addon.ts";

const native = addon as {
  setChildSubreaper(): void;
  kill(pid: number, signal: number): void;
  peerCredentials(fd: number): { pid: number; uid: number; gid: number };
  hungUp(fd: number): boolean;
  pipe(flags: number, size: number): [number, number];
  unreadBytes(fd: number): number;
  eventfd(): number;
  watchFile(path: string): number;
  dup(fd: number): number;
  dup2(from: number, to: number): void;
};

/** Makes this process the parent of orphans below it (PR_SET_CHILD_SUBREAPER). */
export function setChildSubreaper(): void {
  native.setChildSubreaper();
}

/** kill(2) by signal number, real-time signals included, which Node's own refuses. */
export function kill(pid: number, signal: number): void {
  native.kill(pid, signal);
}

/** Who stands at the other end of a connected unix socket (SO_PEERCRED). */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  return native.peerCredentials(fd);
}

/** Whether the other end of a socket is closed both ways, or its connection broken (POLLHUP, POLLERR): one that only sends no more is not. */
export function hungUp(fd: number): boolean {
  return native.hungUp(fd);
}

/** A close-on-exec pipe, `[read, write]`; `size` in bytes is a wish (F_SETPIPE_SZ). */
export function pipe(options: { nonblock?: boolean; size?: number } = {}): [number, number] {
  return native.pipe(options.nonblock === true ? 0o4000 : 0, options.size ?? 0);
}

/** A non-blocking eventfd(2). */
export function eventfd(): number {
  return native.eventfd();
}

/** An inotify(7) descriptor that becomes readable whenever the file is written. */
export function watchFile(path: string): number {
  return native.watchFile(path);
}

/** A close-on-exec duplicate above the standard descriptors. */
export function dup(fd: number): number {
  return native.dup(fd);
}

/** Makes `to` a duplicate of `from`, inherited by children. */
export function dup2(from: number, to: number): void {
  native.dup2(from, to);
}

/** How many bytes lie in a pipe or FIFO, unread; `fd` is either of its ends (FIONREAD). */
export function unreadBytes(fd: number): number {
  return native.unreadBytes(fd);
}
