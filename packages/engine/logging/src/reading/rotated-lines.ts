import { type FileHandle, open } from "node:fs/promises";
import { DataLoss, messageOf } from "@longshore/errdefs";
import type { LogDamage } from "../damage.ts";
import { countLines, withoutLines } from "./files.ts";
import type { OpenRotated } from "./open-all.ts";
import { linesOf } from "./whole-lines.ts";

type OnDamage = (damage: LogDamage) => void;

/** All lines of rotated files; what of a file cannot be read is told to `damaged`, and the next is gone on with. */
export async function* allOf(files: readonly OpenRotated[], damaged: OnDamage): AsyncGenerator<Buffer> {
  for (const file of files) yield* readable(file, file.path, damaged);
}

/** The last `count` lines of rotated files, reading no more of them than needed. */
export async function* lastOf(files: readonly OpenRotated[], count: number, damaged: OnDamage): AsyncGenerator<Buffer> {
  const parts: Buffer[] = [];
  let missing = count;
  for (const file of files.toReversed()) {
    if (missing <= 0) break;
    const lines: { data: Buffer; count: number }[] = [];
    let total = 0;
    for await (const data of readable(file, file.path, damaged)) {
      lines.push({ data, count: countLines(data) });
      total += lines.at(-1)?.count ?? 0;
      for (let [first] = lines; first !== undefined && total - first.count >= missing; [first] = lines) {
        lines.shift();
        total -= first.count;
      }
    }
    const pieces = lines.map(({ data }, i) => (i === 0 ? withoutLines(data, Math.max(0, total - missing)) : data));
    parts.unshift(...pieces);
    missing -= total;
  }
  yield* parts;
}

/** The lines of a compressed file that was found while following. */
export async function* compressedLines(handle: FileHandle, path: string, damaged: OnDamage): AsyncGenerator<Buffer> {
  // Its stream closes what it reads from.
  yield* readable({ handle: await open(`/proc/self/fd/${handle.fd}`), compressed: true }, path, damaged);
}

async function* readable(
  file: { handle: FileHandle; compressed: boolean },
  path: string,
  damaged: OnDamage,
): AsyncGenerator<Buffer> {
  try {
    yield* linesOf(file);
  } catch (error) {
    if (!(error instanceof DataLoss)) throw error;
    damaged({ path, problem: messageOf(error) });
  }
}
