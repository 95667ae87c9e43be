import { type BigIntStats, closeSync, lstatSync, openSync, readSync, readdirSync, readlinkSync } from "node:fs";
import { xattrOf } from "../extract/overlay.ts";
import { fsPath } from "../extract/path.ts";
import type { ByteString } from "../tar/header.ts";
import type { Change } from "./change.ts";

/**
 * The changes that lead from one tree to another, folders before what they hold, in the order of
 * names. Works on any two folders; `upperChanges` is quicker where an overlay tells of them.
 */
export function* compareTrees(left: ByteString, right: ByteString): Generator<Change> {
  yield* compare(left, right, "");
}

function* compare(left: ByteString | undefined, right: ByteString, dir: ByteString): Generator<Change> {
  const old = new Set(left === undefined ? [] : list(left));
  const names = new Set([...old, ...list(right)]);
  for (const base of [...names].sort()) {
    const name = dir === "" ? base : `${dir}/${base}`;
    const path = `${right}/${base}`;
    const stat = statOf(path);
    const before = old.has(base) ? `${left as ByteString}/${base}` : undefined;
    const statBefore = before === undefined ? undefined : statOf(before);
    if (stat === undefined) {
      if (statBefore !== undefined) yield { kind: "delete", name };
      continue;
    }
    if (before === undefined || statBefore === undefined) yield { kind: "add", name, path, stat };
    else if (!isSame(before, statBefore, path, stat)) yield { kind: "modify", name, path, stat };
    // A folder in place of something else replaces it whole, as an unpacked layer does.
    if (stat.isDirectory()) yield* compare(statBefore?.isDirectory() === true ? before : undefined, path, name);
  }
}

const list = (path: ByteString): ByteString[] => readdirSync(fsPath(path), { encoding: "latin1" });
const statOf = (path: ByteString): BigIntStats | undefined =>
  lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });

function isSame(pathA: ByteString, a: BigIntStats, pathB: ByteString, b: BigIntStats): boolean {
  if (a.dev === b.dev && a.ino === b.ino) return true;
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  if (capabilityOf(pathA) !== capabilityOf(pathB)) return false;
  // A folder's size and time change with what it holds, which is told on its own.
  if (a.isDirectory()) return true;
  if (a.size !== b.size) return false;
  if (a.isSymbolicLink()) return readlinkSync(fsPath(pathA), "latin1") === readlinkSync(fsPath(pathB), "latin1");
  if (a.mtimeNs === b.mtimeNs && a.mtimeNs % 1_000_000_000n !== 0n) return true;
  // A tar has cut the time to seconds: another content may carry the same.
  const seconds = (stat: BigIntStats): bigint => stat.mtimeNs / 1_000_000_000n;
  const wasCut = a.mtimeNs % 1_000_000_000n === 0n || b.mtimeNs % 1_000_000_000n === 0n;
  if (seconds(a) !== seconds(b) || !wasCut) return false;
  return !a.isFile() || sameContent(pathA, pathB, Number(a.size));
}

const capabilityOf = (path: ByteString): string | undefined => xattrOf(path, "security.capability")?.toString("latin1");

function sameContent(pathA: ByteString, pathB: ByteString, size: number): boolean {
  const a = openSync(fsPath(pathA), "r");
  const b = openSync(fsPath(pathB), "r");
  try {
    const [bufferA, bufferB] = [Buffer.allocUnsafe(1 << 16), Buffer.allocUnsafe(1 << 16)];
    for (let at = 0; at < size;) {
      const count = readSync(a, bufferA, 0, bufferA.length, at);
      if (count === 0 || readSync(b, bufferB, 0, count, at) !== count) return false;
      if (bufferA.compare(bufferB, 0, count, 0, count) !== 0) return false;
      at += count;
    }
    return true;
  } finally {
    closeSync(a);
    closeSync(b);
  }
}
