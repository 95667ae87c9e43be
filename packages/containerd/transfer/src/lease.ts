import { isKind } from "@longshore/errdefs";
import type { CallScope, LeaseResource, Metadata, Scope } from "@longshore/metadata";
import type { ScopeOpener } from "./contract.ts";

/** How long what a crash left behind is kept at most. */
const lifetimeMs = 24 * 60 * 60 * 1000;
/** Marks the leases that end with this process. */
const transferLabel = "longshore.transfer";

/**
 * Runs `work` with stores whose lease keeps what it makes until it is done: the caller's own lease,
 * or one for this work alone.
 */
export async function withLease<T>(open: ScopeOpener, call: CallScope, work: (scope: Scope) => Promise<T>): Promise<T> {
  if (call.lease !== undefined) return work(open(call));
  const { leases } = open({ namespace: call.namespace });
  const lease = await leases.create("", {
    "containerd.io/gc.expire": new Date(Date.now() + lifetimeMs).toISOString(),
    [transferLabel]: "true",
  });
  try {
    return await work(open({ namespace: call.namespace, lease: lease.id }));
  } finally {
    await leases.delete(lease.id).catch((error: unknown) => {
      if (!isKind(error, "NotFound")) throw error;
    });
  }
}

/** Ends the leases of transfers that died with a former process; the next collection takes what they kept. */
export async function endFormerTransfers(metadata: Pick<Metadata, "namespaces" | "scope">): Promise<void> {
  for (const { name } of await metadata.namespaces.list()) {
    const { leases } = metadata.scope({ namespace: name });
    for (const { id } of await leases.list([`labels."${transferLabel}"`])) await leases.delete(id);
  }
}

/** Lets the scope's lease keep something that others may have made or will make. */
export async function hold(scope: Scope, resource: LeaseResource): Promise<void> {
  if (scope.lease !== undefined) await scope.leases.addResource(scope.lease, resource);
}
