import type { BigIntStats } from "node:fs";
import type { ByteString } from "../tar/header.ts";

export type ChangeKind = "add" | "modify" | "delete";

/** One name that differs between two trees. */
export interface Change {
  kind: ChangeKind;
  /** Relative to the root, clean. */
  name: ByteString;
  /** Where the new state lies; for a deletion there is none. */
  path?: ByteString;
  stat?: BigIntStats;
  /** A folder that hides all that the lower layers have below it. */
  opaque?: boolean;
}

/** A change as text, its path from the root on. */
export interface PathChange {
  kind: ChangeKind;
  path: string;
}
