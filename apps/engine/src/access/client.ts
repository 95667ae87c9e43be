import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { peerCredentials } from "@longshore/sys";

/** Who stands at the other end of a connection. */
export interface Client {
  /** Of a unix socket, as the kernel tells it (SO_PEERCRED). */
  pid?: number;
  uid?: number;
  gid?: number;
  user?: string;
  /** Of a TCP connection: address and port. */
  remote?: string;
  /** The common name of a verified client certificate. */
  certificate?: string;
}

function userName(uid: number): string | undefined {
  const line = readFileSync("/etc/passwd", "utf8").split("\n").find((entry) => entry.split(":")[2] === String(uid));
  return line?.split(":", 1)[0];
}

/** Asked while the connection is new: its process may be gone later. */
export function clientOf(socket: Socket): Client {
  if (socket.remoteAddress !== undefined) {
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const name = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
    return { remote, ...(typeof name === "string" ? { certificate: name } : {}) };
  }
  const handle = Reflect.get(socket, "_handle") as { fd?: number } | null;
  if (handle?.fd === undefined) return {};
  const { pid, uid, gid } = peerCredentials(handle.fd);
  const user = userName(uid);
  return { pid, uid, gid, ...(user === undefined ? {} : { user }) };
}
