import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import config from "../../.mocharc.unit.json" with { type: "json" };
import { count, fail, linesOf } from "./counts.ts";

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

interface Share {
  output: string;
  /** What the reporter counted; nothing when it did not reach its end. */
  counts: string[];
  failed: boolean;
}

async function run(share: number): Promise<Share> {
  const path = join(dir, `counts-${share}`);
  const mine = files.filter((_, index) => index % processes === share);
  const settings = ["--no-config", "--timeout", String(config.timeout), "--reporter", config.reporter];
  const child = spawn("mocha", [...settings, ...mine], {
    cwd: root,
    env: { ...process.env, LONGSHORE_COUNTS: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  await once(child, "close");
  return { output, counts: linesOf(path), failed: child.exitCode !== 0 };
}

const running = Array.from({ length: processes }, (_, share) => run(share));
for (const [share, ending] of running.entries()) {
  const { counts, failed, output } = await ending;
  process.stdout.write(output);
  if (failed) process.exitCode = 1;
  if (counts.length === 0) fail(`unit tests, share ${share + 1}, did not reach their end`);
  for (const line of counts) count(line);
}
