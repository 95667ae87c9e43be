import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { isOpaque, isWhiteoutDevice } from "../extract/overlay.ts";
import { fsPath } from "../extract/path.ts";
import type { ByteString } from "../tar/header.ts";
import type { Change } from "./change.ts";

/** What the lower layers show at a name. */
interface Below {
  exists: boolean;
  /** The folders that are merged there, topmost first; empty when it is no folder. */
  folders: ByteString[];
}

/**
 * The changes that an overlay's upper folder holds, folders before what they hold, in the order of
 * names. Every folder that is in the upper one counts as changed, as with Docker.
 * @param lowers the lower folders, topmost first
 */
export function* upperChanges(upper: ByteString, lowers: readonly ByteString[]): Generator<Change> {
  yield* walk(upper, lowers, "");
}

function* walk(upper: ByteString, lowers: readonly ByteString[], dir: ByteString): Generator<Change> {
  for (const base of readdirSync(fsPath(upper), { encoding: "latin1" }).sort()) {
    const path = `${upper}/${base}`;
    const name = dir === "" ? base : `${dir}/${base}`;
    const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) continue;
    const below = lookBelow(lowers, base);
    if (isWhiteout(stat)) {
      if (below.exists) yield { kind: "delete", name };
      continue;
    }
    if (!stat.isDirectory()) {
      yield { kind: below.exists ? "modify" : "add", name, path, stat };
      continue;
    }
    const opaque = below.folders.length > 0 && isOpaque(path);
    yield { kind: below.exists ? "modify" : "add", name, path, stat, opaque };
    // Behind an opaque folder all is new.
    yield* walk(path, opaque ? [] : below.folders, name);
  }
}

const isWhiteout = (stat: BigIntStats): boolean =>
  isWhiteoutDevice({ rdev: Number(stat.rdev), isCharacterDevice: () => stat.isCharacterDevice() });

function lookBelow(lowers: readonly ByteString[], base: ByteString): Below {
  const folders: ByteString[] = [];
  for (const lower of lowers) {
    const path = `${lower}/${base}`;
    const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (isWhiteout(stat)) break;
    if (!stat.isDirectory()) return { exists: true, folders };
    folders.push(path);
    if (isOpaque(path)) break;
  }
  return { exists: folders.length > 0, folders };
}
