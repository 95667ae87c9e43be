import { isKind } from "@longshore/errdefs";
import type { CallScope, LeaseResource, Scope } from "@longshore/metadata";
import type { ScopeOpener } from "./contract.ts";

/** How long what a crash left behind is kept, so that the transfer can be taken up again. */
const lifetimeMs = 24 * 60 * 60 * 1000;

/**
 * Runs `work` with stores whose lease keeps what it makes until it is done: the caller's own lease,
 * or one for this work alone.
 */
export async function withLease<T>(open: ScopeOpener, call: CallScope, work: (scope: Scope) => Promise<T>): Promise<T> {
  if (call.lease !== undefined) return work(open(call));
  const { leases } = open({ namespace: call.namespace });
  const lease = await leases.create("", { "containerd.io/gc.expire": new Date(Date.now() + lifetimeMs).toISOString() });
  try {
    return await work(open({ namespace: call.namespace, lease: lease.id }));
  } finally {
    await leases.delete(lease.id).catch((error: unknown) => {
      if (!isKind(error, "NotFound")) throw error;
    });
  }
}

/** Lets the scope's lease keep something that others may have made or will make. */
export async function hold(scope: Scope, resource: LeaseResource): Promise<void> {
  if (scope.lease !== undefined) await scope.leases.addResource(scope.lease, resource);
}
