import { appendFileSync, existsSync, readFileSync } from "node:fs";

function append(path: string | undefined, line: string): void {
  if (path) appendFileSync(path, `${line}\n`);
}

/** Notes `passed failed` where scripts/test adds them up. */
export function count(line: string): void {
  append(process.env["LONGSHORE_COUNTS"], line);
}

/** Notes a line that names a failed test for the end of the log; this process ends with 1. */
export function nameFailure(line: string): void {
  append(process.env["LONGSHORE_FAILURES"], line);
  process.exitCode = 1;
}

/** A failure that is no test of mocha's: printed, counted and named. */
export function fail(what: string): void {
  const line = `FAILED: ${what}`;
  console.log(line);
  count("0 1");
  nameFailure(line);
}

/** The lines of what a reporter has written; none when it came to nothing. */
export function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}
