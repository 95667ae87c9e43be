import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@longshore/atomicfile";
import type { Volume } from "@longshore/api";

/** A volume as its directory keeps it, in `volume.json`. */
export interface VolumeRecord {
  name: string;
  created: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
}

const fileName = "volume.json";

export function dataDir(dir: string): string {
  return join(dir, "_data");
}

export async function writeRecord(dir: string, record: VolumeRecord): Promise<void> {
  await writeFileAtomic(join(dir, fileName), `${JSON.stringify(record)}\n`);
}

/** @returns undefined when there is none. @throws SyntaxError for one that cannot be read */
export async function readRecord(dir: string): Promise<VolumeRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(dir, fileName), "utf8")) as VolumeRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Maps as the API writes them: by their keys. */
function sorted(map: Record<string, string> | null): Record<string, string> | null {
  return map && Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As the API shows it. */
export function showVolume({ name, created, labels, options }: VolumeRecord, dir: string): Volume {
  return { CreatedAt: created, Driver: "local", Labels: sorted(labels), Mountpoint: dataDir(dir), Name: name, Options: sorted(options), Scope: "local" };
}
