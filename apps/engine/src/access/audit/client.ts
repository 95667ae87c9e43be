import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { peerCredentials } from "@longshore/sys";
import { UserNames } from "./user-names.ts";

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

const users = new UserNames();

/** Asked while the connection is new: its process may be gone later. What cannot be found out is left out. */
export function clientOf(socket: Socket): Client {
  if (socket.remoteAddress !== undefined) {
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const name = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
    return { remote, ...(typeof name === "string" ? { certificate: name } : {}) };
  }
  const handle = Reflect.get(socket, "_handle") as { fd?: number } | null;
  if (handle?.fd === undefined || handle.fd < 0) return {};
  try {
    const { pid, uid, gid } = peerCredentials(handle.fd);
    const user = users.of(uid);
    return { pid, uid, gid, ...(user === undefined ? {} : { user }) };
  } catch {
    return {};
  }
}
