import { globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { cgroupFolders, isUnused, removeDockerCgroup } from "../../../e2e/host/state.ts";
import { until } from "../../../e2e/host/until.ts";
import { count, fail, linesOf, nameFailure } from "../counts.ts";
import { Worker } from "./workers.ts";

/**
 * Runs the end-to-end test files in several processes, each on a host of its own with an engine of its own.
 * Output is printed file by file, as they end; the slowest files are named at the end.
 *
 * usage: run.ts [--workers N] [FILE…]
 */
const root = join(import.meta.dirname, "../../..");
const { values, positionals } = parseArgs({
  options: { workers: { type: "string", default: "3" } },
  allowPositionals: true,
});

/** The longest come first, so that none of them is what all wait for at the end. */
const first = [
  "soak/soak",
  "containers/software",
  "compose/compose-v1",
  "killed/killed",
  "failures/power-cut",
  "networks/network-recorded",
  "api/engine-recorded",
].map((name) => join(root, `e2e/${name}.test.ts`));
const found =
  positionals.length > 0
    ? positionals.map((file) => join(process.cwd(), file))
    : globSync("e2e/**/*.test.ts", { cwd: root, exclude: ["**/node_modules/**"] })
        .map((file) => join(root, file))
        .sort();
const queue = [...first.filter((file) => found.includes(file)), ...found.filter((file) => !first.includes(file))];
/** After the other tests of a worker. */
const last = join(root, "e2e/leftovers.last.ts");

const dir = mkdtempSync("/var/tmp/longshore-e2e-");
const took = new Map<string, { seconds: number; processor: number }>();
process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const cgroupsBefore = new Set(cgroupFolders());

async function work(name: string): Promise<void> {
  const folder = join(dir, name);
  mkdirSync(folder);
  let worker: Worker | undefined;
  const run = async (file: string): Promise<void> => {
    const started = Date.now();
    worker ??= await Worker.start(folder, root);
    const processor = await worker.run(file);
    if (processor !== undefined) took.set(relative(root, file), { seconds: (Date.now() - started) / 1000, processor });
    else {
      fail(`${relative(root, file)} did not reach its end`);
      worker = undefined;
    }
  };
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) await run(file);
  await run(last);
  await worker?.end();
  collect(folder);
}

/** Takes over what the reporter noted in a worker. */
function collect(folder: string): void {
  for (const line of linesOf(join(folder, "counts"))) count(line);
  for (const line of linesOf(join(folder, "failures"))) nameFailure(line);
}

await Promise.all(Array.from({ length: Number(values.workers) }, (_, index) => work(String(index))));

removeDockerCgroup();
/** Cgroups that came since the start and hold nothing; what another engine on the machine runs now is in use. */
const leftCgroups = (): string[] => cgroupFolders().filter((folder) => !cgroupsBefore.has(folder) && isUnused(folder));
try {
  await until("no cgroup is left", () => leftCgroups().length === 0);
  count("1 0");
} catch {
  fail(`cgroups were left: ${leftCgroups().join(" ")}`);
}
console.log("\nThe slowest files, in seconds, and of the processor:");
for (const [file, { seconds, processor }] of [...took].sort(([, a], [, b]) => b.seconds - a.seconds).slice(0, 20))
  console.log(`${seconds.toFixed(1).padStart(7)} ${processor.toFixed(1).padStart(7)} ${file}`);
process.exit();
