import { spawn } from "node:child_process";
import { appendFileSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import config from "../../.mocharc.unit.json" with { type: "json" };

/**
 * Runs the unit tests in two processes, since one leaves a processor idle. What they print comes file by file of the first,
 * then of the second.
 *
 * usage: unit.ts
 */
const root = join(import.meta.dirname, "../..");
const processes = 2;
const files = globSync(config.spec, { cwd: root, exclude: ["**/node_modules/**"] }).sort();
const dir = mkdtempSync("/tmp/longshore-unit-");
process.once("exit", () => rmSync(dir, { recursive: true, force: true }));

function count(line: string): void {
  if (process.env["LONGSHORE_COUNTS"]) appendFileSync(process.env["LONGSHORE_COUNTS"], `${line}\n`);
}

/** @returns what it printed */
async function run(share: number): Promise<string> {
  const counts = join(dir, `counts-${share}`);
  const mine = files.filter((_, index) => index % processes === share);
  const settings = ["--no-config", "--timeout", String(config.timeout), "--reporter", config.reporter];
  const child = spawn("mocha", [...settings, ...mine], {
    cwd: root,
    env: { ...process.env, LONGSHORE_COUNTS: counts },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  await once(child, "close");
  if (existsSync(counts)) for (const line of readFileSync(counts, "utf8").split("\n").filter(Boolean)) count(line);
  else {
    const failure = `FAILED: unit tests, share ${share + 1}, did not reach their end`;
    output += `${failure}\n`;
    count("0 1");
    if (process.env["LONGSHORE_FAILURES"]) appendFileSync(process.env["LONGSHORE_FAILURES"], `${failure}\n`);
  }
  if (child.exitCode !== 0) process.exitCode = 1;
  return output;
}

const running = Array.from({ length: processes }, (_, share) => run(share));
for (const output of running) process.stdout.write(await output);
