import { addon } from "../addon.ts";
import { AF, SOCK } from "../constants.ts";
import { socketInNetns } from "./netns.ts";

const native = addon as {
  forward(fd: number, address: string, port: number, idleMs: number): number;
  forwardEnd(id: number): void;
};

/** A numeric address and a port of this process's network namespace. */
export interface ForwardAddress {
  address: string;
  port: number;
}

const familyOf = ({ address }: ForwardAddress) => (address.includes(":") ? AF.INET6 : AF.INET);

function forward(type: number, from: ForwardAddress, to: ForwardAddress, idleMs: number): () => void {
  const fd = socketInNetns("/proc/thread-self/ns/net", familyOf(from), type, 0, from);
  // On failure the descriptor is closed there, too.
  const id = native.forward(fd, to.address, to.port, idleMs);
  return () => native.forwardEnd(id);
}

/**
 * Forwards TCP connections, half-closed ones included, on native threads: no byte passes through JavaScript.
 * @returns ends it; then the port is free and its connections are closed
 * @throws errno errors of the socket calls (EADDRINUSE)
 */
export function forwardTcp(from: ForwardAddress, to: ForwardAddress): () => void {
  return forward(SOCK.STREAM, from, to, 0);
}

/** Forwards datagrams; a client without any for `idleMs` is forgotten. Answers come from the address that was asked. */
export function forwardUdp(from: ForwardAddress, to: ForwardAddress, idleMs: number): () => void {
  return forward(SOCK.DGRAM, from, to, idleMs);
}
