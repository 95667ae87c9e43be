import { FailedPrecondition } from "@longshore/errdefs";
import type { CallOptions } from "@longshore/proto";

/** The metadata by which a call says in whose name it is made; see containerd's `namespaces` and `leases`. */
const namespaceKey = "containerd-namespace";
const leaseKey = "containerd-lease";
/** How many things a call may do at once; containerd's own API has no place for it. */
const concurrencyKey = "longshore-concurrency";

/** As much of a call as its metadata: keys are lower case, the values of a repeated key joined by `, `, as HTTP/2 libraries hand them over. */
interface Call {
  readonly metadata: Readonly<Record<string, string>>;
}

/** Metadata of calls in a namespace. */
export const inNamespace = (namespace: string): Record<string, string> => ({ [namespaceKey]: namespace });

/** Options of calls that make things for a lease. */
export const underLease = (lease: string): CallOptions => ({ metadata: { [leaseKey]: lease } });

/** Metadata of calls that may do so many things at once. */
export const atOnce = (concurrency: number): Record<string, string> => ({ [concurrencyKey]: String(concurrency) });

/** @throws FailedPrecondition when the call names no namespace */
export function namespaceOf(call: Call): string {
  const namespace = first(call, namespaceKey);
  if (!namespace) throw new FailedPrecondition("namespace is required: failed precondition");
  return namespace;
}

/** The lease that objects made in this call belong to, if the client named one. */
export function leaseOf(call: Call): string | undefined {
  return first(call, leaseKey) || undefined;
}

/** How many things the client lets the call do at once, if it said so. */
export function concurrencyOf(call: Call): number | undefined {
  const given = first(call, concurrencyKey);
  return given !== undefined && /^[1-9]\d{0,5}$/.test(given) ? Number(given) : undefined;
}

/** Go clients put a nested lease or namespace in front of the outer one and send both; the first counts. */
function first({ metadata }: Call, key: string): string | undefined {
  return metadata[key]?.split(",", 1)[0];
}
