import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NotFound } from "@longshore/errdefs";
import type { Status } from "./contract.ts";

/** The files of one ingest, in containerd's own layout. */
export interface IngestFiles {
  dir: string;
  data: string;
  ref: string;
  startedAt: string;
  updatedAt: string;
  total: string;
}

/** Where the ingest of `ref` lies below `ingestRoot`. */
export function ingestFiles(ingestRoot: string, ref: string): IngestFiles {
  return filesIn(join(ingestRoot, createHash("sha256").update(ref).digest("hex")));
}

function filesIn(dir: string): IngestFiles {
  return {
    dir,
    data: join(dir, "data"),
    ref: join(dir, "ref"),
    startedAt: join(dir, "startedat"),
    updatedAt: join(dir, "updatedat"),
    total: join(dir, "total"),
  };
}

/**
 * Lays out a new, empty ingest, in place of whatever lies there. `data` comes last: an ingest
 * without it was never begun.
 */
export async function createIngest(files: IngestFiles, ref: string, total: number): Promise<Status> {
  await rm(files.dir, { recursive: true, force: true });
  await mkdir(files.dir, { recursive: true, mode: 0o755 });
  const now = new Date();
  await writeFile(files.ref, ref);
  await writeFile(files.startedAt, now.toISOString());
  await writeFile(files.updatedAt, now.toISOString());
  if (total > 0) await writeFile(files.total, String(total));
  await writeFile(files.data, "", { mode: 0o644 });
  return { ref, offset: 0, total, expected: "", startedAt: now, updatedAt: now };
}

/** @throws NotFound when there is no ingest, or what a crash left cannot be resumed */
export async function readIngest(files: IngestFiles, ref: string): Promise<Status> {
  const status = await readStatus(files);
  if (status?.ref !== ref) throw new NotFound(`reference ${ref}: not found`);
  return status;
}

async function readStatus(files: IngestFiles): Promise<Status | undefined> {
  try {
    const [ref, startedAt, data] = await Promise.all([
      readFile(files.ref, "utf8"),
      readFile(files.startedAt, "utf8"),
      stat(files.data),
    ]);
    const total = await readFile(files.total, "utf8").then(Number, () => 0);
    const started = new Date(startedAt);
    const expectedDir = createHash("sha256").update(ref).digest("hex");
    if (Number.isNaN(started.getTime()) || !Number.isSafeInteger(total) || !files.dir.endsWith(expectedDir))
      return undefined;
    return { ref, offset: data.size, total, expected: "", startedAt: started, updatedAt: data.mtime };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** All ingests that can be resumed. */
export async function listIngests(ingestRoot: string): Promise<Status[]> {
  const names = await readdir(ingestRoot);
  const statuses = await Promise.all(names.map((name) => readStatus(filesIn(join(ingestRoot, name)))));
  return statuses.filter((status) => status !== undefined);
}

/** Removes what a crash left of ingests that were being made, published or dropped. */
export async function removeBroken(ingestRoot: string): Promise<void> {
  for (const name of await readdir(ingestRoot)) {
    const files = filesIn(join(ingestRoot, name));
    if ((await readStatus(files)) === undefined) await rm(files.dir, { recursive: true, force: true });
  }
}
