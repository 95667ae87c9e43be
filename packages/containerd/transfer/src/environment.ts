import type { Logger } from "@longshore/logger";
import type { ImageArchiver, ScopeOpener } from "./contract.ts";
import type { Downloads } from "./pull/download.ts";
import type { Slots } from "@longshore/concurrency";
import type { Unpacker } from "./unpack/unpack.ts";

/** What all transfers of one containerd share. */
export interface Environment {
  readonly open: ScopeOpener;
  readonly downloads: Downloads;
  /** Layers fetched at once, over all pulls. */
  readonly downloadSlots: Slots;
  readonly uploadSlots: Slots;
  readonly unpacker: Unpacker;
  readonly archiver: ImageArchiver;
  /** The snapshotter of a namespace that names none. */
  readonly defaultSnapshotter: (namespace: string) => Promise<string>;
  readonly log: Logger;
}
