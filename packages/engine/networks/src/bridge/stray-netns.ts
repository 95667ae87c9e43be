import { readdirSync } from "node:fs";
import { join } from "node:path";
import { removeNetns } from "@longshore/sys";
import type { Records } from "../records/records.ts";

/** Ends namespaces that no record knows, left by an engine that lost its records. */
export function removeStrayNetns(dir: string, records: Records): void {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const known = new Set([...records.sandboxes.values()].map(({ netnsPath }) => netnsPath));
  for (const path of names.map((name) => join(dir, name))) if (!known.has(path)) removeNetns(path);
}
