import { setTimeout as sleep } from "node:timers/promises";
import { isKind, messageOf } from "@longshore/errdefs";
import type { CallOptions } from "@longshore/proto";
import { underLease } from "../namespaces/metadata.ts";
import type { ClientContext } from "../connection/context.ts";

/** Milliseconds after which a lease ends by itself, should the engine never come back. */
const leaseMs = 24 * 60 * 60 * 1000;
/** Names the engine that a lease belongs to, so that its next process ends what it left. */
const ownerLabel = "longshore.engine";
/** containerd may be on its way back: a lease that it could not be told of is ended later. */
const retryMs = 1000;
const retries = 60;

export interface LeaseContext extends ClientContext {
  /** Tells this client's leases from others': an engine's data root. */
  readonly owner: string;
}

/** A lease: what is written with `options` stays until it ends. */
export interface Lease {
  readonly id: string;
  readonly options: CallOptions;
}

/** Calls `use` with a lease that keeps what it writes from being collected before a record refers to it. */
export async function withLease<T>(context: LeaseContext, use: (lease: Lease) => Promise<T>): Promise<T> {
  const labels = {
    "containerd.io/gc.expire": new Date(Date.now() + leaseMs).toISOString(),
    [ownerLabel]: context.owner,
  };
  const { lease } = await context.containerd.leases.create({ id: "", labels });
  const id = lease?.id ?? "";
  try {
    return await use({ id, options: underLease(id) });
  } finally {
    if (!(await endLease(context, id))) void endLater(context, id);
  }
}

/** @returns whether the lease is no more */
async function endLease({ containerd, log }: LeaseContext, id: string, sync = false): Promise<boolean> {
  try {
    await containerd.leases.delete({ id, sync });
    return true;
  } catch (error) {
    if (isKind(error, "NotFound")) return true;
    log.warn({ lease: id }, `a lease could not be removed: ${messageOf(error)}`);
    return false;
  }
}

async function endLater(context: LeaseContext, id: string): Promise<void> {
  for (let i = 0; i < retries; i++) {
    await sleep(retryMs, undefined, { ref: false });
    if (await endLease(context, id)) return;
  }
}

/** Ends the leases of an engine process that is no more, and has what they alone kept collected. Before the first of one's own. */
export async function endFormerLeases(context: LeaseContext): Promise<void> {
  const { leases } = await context.containerd.leases.list({
    filters: [`labels."${ownerLabel}"==${JSON.stringify(context.owner)}`],
  });
  for (const [index, { id }] of leases.entries()) await endLease(context, id, index === leases.length - 1);
}
