import { parseArgs } from "node:util";
import { SoakFailure, soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now()) },
    "keep-going": { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`--rounds must be a whole number above 0, not ${values.rounds}\n`);
  process.exit(2);
}
const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
try {
  await soak({
    rounds,
    seed: values.seed,
    keepGoing: values["keep-going"],
    signal: stopped.signal,
    report: (line) => void process.stdout.write(`${line}\n`),
  });
  process.stdout.write(stopped.signal.aborted ? "interrupted\n" : `${rounds} rounds, nothing lost\n`);
  if (stopped.signal.aborted) process.exitCode = 130;
} catch (error) {
  if (!(error instanceof SoakFailure)) throw error;
  process.stderr.write(`FAILED; repeat with --seed ${values.seed}\n`);
  process.exitCode = 1;
}
