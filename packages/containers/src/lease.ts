import type { CallOptions } from "@longshore/proto";
import type { Context } from "./context.ts";
import { attempt } from "./task.ts";

/** A lease that outlives its engine is collected after this long. */
const expiresMs = 60 * 60_000;

/** Calls `use` with call options under which what is made in containerd is kept from its garbage collector until `use` ends. */
export async function withLease<T>(context: Context, use: (options: CallOptions) => Promise<T>): Promise<T> {
  const { leases } = context.containerd;
  const { lease } = await leases.create({ labels: { "containerd.io/gc.expire": new Date(Date.now() + expiresMs).toISOString() } });
  const id = lease?.id ?? "";
  try {
    return await use({ metadata: { "containerd-lease": id } });
  } finally {
    await attempt(context, "deleting a lease", () => leases.delete({ id }));
  }
}
