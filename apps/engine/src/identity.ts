import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@longshore/atomicfile";

/** The engine's id, made once and kept in the data root. */
export async function engineId(dataRoot: string): Promise<string> {
  const path = join(dataRoot, "engine-id");
  const kept = (await readFile(path, "utf8").catch(() => "")).trim();
  if (kept !== "") return kept;
  const id = randomUUID();
  await writeFileAtomic(path, id);
  return id;
}
