import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { isDamaged, setDatabaseAside } from "@longshore/sqlite";
import { SnapshotMetadata } from "./metadata.ts";

/**
 * Opens the database whatever its state: a file that SQLite cannot use is renamed to
 * `<path>.damaged-<time>`, and its readable records are brought over. New ids are above those of all
 * folders, whose records may be lost.
 */
export function openSalvaging(path: string, folder: string, logger: Logger): SnapshotMetadata {
  try {
    return new SnapshotMetadata(path);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    const aside = setDatabaseAside(path);
    logger.error({ path, aside, error: messageOf(error) }, "the snapshots' database is damaged: set aside");
    const metadata = new SnapshotMetadata(path);
    bringOver(aside, metadata, logger);
    metadata.reserveIds(Math.max(0, ...readdirSync(folder).map((name) => Number(/\d+$/.exec(name)?.[0] ?? 0))));
    return metadata;
  }
}

function bringOver(aside: string, into: SnapshotMetadata, logger: Logger): void {
  let copied = 0;
  try {
    using source = new DatabaseSync(aside, { readOnly: true });
    for (const row of source.prepare("SELECT * FROM snapshots").iterate()) {
      into.bringOver(row);
      copied++;
    }
  } catch (error) {
    logger.error(
      { copied, error: messageOf(error) },
      "not all snapshots of the damaged database could be brought over",
    );
  }
}

/** Makes records readable again. @returns a sentence on each that was not */
export function repair(metadata: SnapshotMetadata, logger: Logger): string[] {
  const problems = metadata
    .repair()
    .map((name) => `the record of snapshot ${name} cannot be read: its labels are given up`);
  for (const problem of problems) logger.error({}, problem);
  return problems;
}

/** Gives up the snapshots whose folder is gone, and those on them. @returns a sentence on each */
export function giveUpLost(metadata: SnapshotMetadata, folder: string, logger: Logger): string[] {
  const problems: string[] = [];
  for (const { id, name } of metadata.list()) {
    const path = join(folder, String(id));
    if (name.startsWith("lost/") || existsSync(path)) continue;
    for (const lost of metadata.giveUp(id)) {
      logger.error({ snapshot: lost, path }, "the folder of a snapshot, or of one below it, is gone: set aside");
      problems.push(`snapshot ${lost} was set aside: ${path} is gone`);
    }
  }
  return problems;
}
