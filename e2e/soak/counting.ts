import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Prints 0, 1, 2, … without end, some hundred a second, in bursts: each sleep is a process of its own. */
export const endlessly = "i=0; while :; do echo $i; i=$((i+1)); [ $((i % 20)) = 0 ] && usleep 50000; done";

/** Prints `count` numbers in bursts, then takes its time, then ends. */
export function counting(count: number, seconds: number, code: number): string {
  return `i=0; while [ $i -lt ${count} ]; do echo $i; i=$((i+1)); [ $((i % 500)) = 0 ] && usleep 20000; done; sleep ${seconds}; exit ${code}`;
}

/**
 * The numbers of a log, which must follow each other without a gap.
 * @param runs how often the count may begin anew at 0: once for each start of the container
 * @throws when one is missing or there twice
 */
export function checkCount(
  what: string,
  text: string,
  options: { from?: number; runs?: number } = {},
): { first: number; last: number } {
  const lines = text.split("\n").filter(Boolean);
  let runs = options.runs ?? 1;
  const first = lines[0] === undefined ? 0 : Number(lines[0]);
  if (options.from !== undefined && lines.length > 0 && first !== options.from)
    throw new Error(`${what}: begins with ${lines[0]}, not with ${options.from}`);
  let last = first - 1;
  for (const [index, line] of lines.entries()) {
    const number = Number(line);
    if (number === 0 && index > 0 && --runs > 0) last = -1;
    if (number !== last + 1)
      throw new Error(`${what}: line ${index} of ${lines.length} is ${JSON.stringify(line)} after ${last}`);
    last = number;
  }
  return { first, last };
}

/** The text in a json-file log with all its rotated files, the oldest first. */
export function readJsonLog(path: string): string {
  const files: Buffer[] = [];
  for (let i = 1; ; i++) {
    if (existsSync(`${path}.${i}`)) files.unshift(readFileSync(`${path}.${i}`));
    else if (existsSync(`${path}.${i}.gz`)) files.unshift(gunzipSync(readFileSync(`${path}.${i}.gz`)));
    else break;
  }
  files.push(readFileSync(path));
  const lines = Buffer.concat(files).toString().split("\n");
  // The last record may be on its way while we read.
  return lines
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { log: string }).log)
    .join("");
}
