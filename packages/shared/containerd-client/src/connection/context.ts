import type { Logger } from "@longshore/logger";
import type { ContainerdClient } from "./client.ts";

/** What this package's functions work with; callers hand in contexts of their own that have it. */
export interface ClientContext {
  readonly containerd: ContainerdClient;
  readonly log: Logger;
}
