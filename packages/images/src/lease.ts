import type { CallOptions } from "@longshore/proto";
import type { ImagesContext } from "./context.ts";

/** Milliseconds after which a lease ends by itself, should the engine die with it. */
const leaseMs = 24 * 60 * 60 * 1000;

/** A lease: what is written with `options` stays until it ends. */
export interface Lease {
  readonly id: string;
  readonly options: CallOptions;
}

/** Calls `use` with a lease that keeps what it writes from being collected before a record refers to it. */
export async function withLease<T>({ containerd, log }: ImagesContext, use: (lease: Lease) => Promise<T>): Promise<T> {
  const labels = { "containerd.io/gc.expire": new Date(Date.now() + leaseMs).toISOString() };
  const { lease } = await containerd.leases.create({ id: "", labels });
  const id = lease?.id ?? "";
  try {
    return await use({ id, options: { metadata: { "containerd-lease": id } } });
  } finally {
    await containerd.leases.delete({ id }).catch((error: unknown) => log.warn({ err: error, lease: id }, "a lease could not be removed"));
  }
}
