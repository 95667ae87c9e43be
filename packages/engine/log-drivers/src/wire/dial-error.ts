import { getSystemErrorMap } from "node:util";
import { Unavailable } from "@longshore/errdefs";

/** Go writes errors of the system small. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const [, text] = (error.errno === undefined ? undefined : getSystemErrorMap().get(error.errno)) ?? [];
  return text ?? error.message;
}

/**
 * Why a connection could not be made, in Go's words: `dial tcp 127.0.0.1:1: connect: connection refused`,
 * `dial tcp: lookup x: no such host`.
 */
export function dialError(network: string, address: string, cause: unknown): Unavailable {
  const error = cause as NodeJS.ErrnoException & { hostname?: string };
  if (error.syscall === "getaddrinfo")
    return new Unavailable(`dial ${network}: lookup ${error.hostname}: no such host`, { cause });
  if (error.syscall === undefined) return new Unavailable(error.message, { cause });
  return new Unavailable(`dial ${network} ${address}: ${error.syscall}: ${reasonOf(error)}`, { cause });
}
