import { endFormerLeases, withLease as withLeaseOf } from "@longshore/containerd-client";
import type { CallOptions } from "@longshore/proto";
import type { Context } from "../model/context.ts";

/** Calls `use` with call options under which what is made in containerd is kept from its garbage collector until `use` ends. */
export function withLease<T>(context: Context, use: (options: CallOptions) => Promise<T>): Promise<T> {
  return withLeaseOf(leaseContext(context), ({ options }) => use(options));
}

/** Ends what a killed engine had under way in containerd. */
export function endLeases(context: Context): Promise<void> {
  return endFormerLeases(leaseContext(context));
}

function leaseContext({ containerd, log, settings }: Context): Parameters<typeof withLeaseOf>[0] {
  return { containerd, log, owner: settings.dataRoot };
}
