import { readFileSync, readlinkSync } from "node:fs";
import { InvalidArgument } from "@longshore/errdefs";

/** systemd hands sockets over from this descriptor on (sd_listen_fds(3)). */
const firstDescriptor = 3;

export interface ActivatedSocket {
  fd: number;
  /** Whether it is a unix socket; else it is TCP. */
  unix: boolean;
}

function isUnix(fd: number): boolean {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  if (inode === undefined) throw new InvalidArgument(`failed to load listeners: descriptor ${fd} is no socket`);
  return readFileSync("/proc/self/net/unix", "utf8")
    .split("\n")
    .some((line) => line.split(/\s+/)[6] === inode);
}

/**
 * The sockets that a service manager opened for this process, as sd_listen_fds(3) describes.
 * @param name `""` or `*` for all, else a descriptor's number
 * @throws InvalidArgument with dockerd's text when there is none
 */
export function activatedSockets(
  name: string,
  environment: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): ActivatedSocket[] {
  const count = environment["LISTEN_PID"] === String(pid) ? Number(environment["LISTEN_FDS"] ?? 0) : 0;
  const all = Array.from({ length: count }, (_, index) => firstDescriptor + index);
  if (all.length === 0)
    throw new InvalidArgument(
      "failed to load listeners: no sockets found via socket activation: make sure the service was started by systemd",
    );
  const wanted = name === "" || name === "*" ? all : all.filter((fd) => String(fd) === name);
  if (wanted.length === 0)
    throw new InvalidArgument(
      `failed to load listeners: no such descriptor was handed over by socket activation: ${name}`,
    );
  return wanted.map((fd) => ({ fd, unix: isUnix(fd) }));
}
