import { getServers } from "node:dns";
import { isIPv4, isIPv6 } from "node:net";
import { getSystemErrorMap } from "node:util";

/** The kernel's words where Node's differ, which are libuv's. */
const words: Readonly<Record<string, string>> = {
  EHOSTUNREACH: "no route to host",
  ETIMEDOUT: "connection timed out",
};

/** `host:port`, as net.JoinHostPort writes it: an IPv6 address in brackets. */
export function hostPort(host: string, port: number | string): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** That a name has no address, in the words of Go's resolver: `lookup x on 10.0.0.1:53: no such host`. */
export function lookupText(host: string): string {
  const [server] = getServers();
  if (server === undefined) return `lookup ${host}: no such host`;
  return `lookup ${host} on ${isIPv4(server) || isIPv6(server) ? hostPort(server, 53) : server}: no such host`;
}

/**
 * Why nobody could be reached, in Go's words: `dial tcp 127.0.0.1:1: connect: connection refused`, `dial tcp: lookup x: no such host`.
 * @param address what was asked for; the error's own, which a name has led to, goes before
 * @returns undefined for an error of something else than reaching somebody
 */
export function dialText(cause: unknown, network: string, address: string): string | undefined {
  // With several addresses Node reports one error each; the first is what Go reports.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  const error = first as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
  const { code = "", errno, hostname = address.replace(/:\d+$/, ""), syscall } = error;
  if (code === "ENOTFOUND") return `dial ${network}: ${lookupText(hostname)}`;
  if (code === "EAI_AGAIN") return `dial ${network}: lookup ${hostname}: Temporary failure in name resolution`;
  if (syscall !== "connect" && syscall !== "sendto") return undefined;
  const reached =
    error.address === undefined || error.port === undefined ? address : hostPort(error.address, error.port);
  const [, text] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return `dial ${network} ${reached}: ${syscall}: ${words[code] ?? text ?? error.message}`;
}
