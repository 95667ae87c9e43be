import { basename, join } from "node:path";
import { writeFileAtomic, filesSetAside, setAside } from "@longshore/atomicfile";
import type { Volume } from "@longshore/docker-api";
import { DataLoss } from "@longshore/errdefs";
import { mapOf, nullable, readRecordFile, record, required, text } from "@longshore/records";

/** A volume as its directory keeps it, in `volume.json`. */
export interface VolumeRecord {
  name: string;
  created: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
}

const fileName = "volume.json";

const volumeRecord = record<VolumeRecord>({
  name: required(text),
  created: required(text),
  labels: nullable(mapOf(text)),
  options: nullable(mapOf(text)),
});

export function dataDir(dir: string): string {
  return join(dir, "_data");
}

export async function writeRecord(dir: string, record: VolumeRecord): Promise<void> {
  await writeFileAtomic(join(dir, fileName), `${JSON.stringify(record)}\n`);
}

/** @returns undefined when there is none. @throws DataLoss for one that cannot be read */
export async function readRecord(dir: string): Promise<VolumeRecord | undefined> {
  try {
    const found = await readRecordFile(join(dir, fileName), volumeRecord);
    if (found.name !== basename(dir)) throw new DataLoss(`the record is of volume ${found.name}`);
    return found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Gives a record that cannot be read another name; one that is not there is none. */
export function setRecordAside(dir: string): void {
  try {
    setAside(join(dir, fileName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Paths of the records that were set aside. */
export function recordsAside(dir: string): string[] {
  return filesSetAside(join(dir, fileName));
}

/** Maps as the API writes them: by their keys. */
export function sorted(map: Record<string, string> | null): Record<string, string> | null {
  return map && Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As the API shows it. */
export function showVolume({ name, created, labels, options }: VolumeRecord, dir: string): Volume {
  return {
    CreatedAt: created,
    Driver: "local",
    Labels: sorted(labels),
    Mountpoint: dataDir(dir),
    Name: name,
    Options: sorted(options),
    Scope: "local",
  };
}
