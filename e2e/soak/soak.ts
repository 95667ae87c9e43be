import { Rig } from "./rig.ts";
import { Round } from "./round.ts";

/** A round in which something was wrong, with what the daemons said. */
export class SoakFailure extends Error {}

/**
 * Runs so many rounds on an engine of its own and ends it again.
 * @param options.enoughMs no round begins later than so many milliseconds after the first
 * @param options.keepGoing goes on after a round that failed; all failures are thrown at the end
 * @param options.signal ends the run; what was begun is cleaned up
 * @throws SoakFailure with the seed, the problems and the tails of the daemons' logs
 */
export async function soak(options: {
  rounds: number;
  seed: string;
  enoughMs?: number;
  keepGoing?: boolean;
  signal?: AbortSignal;
  report: (line: string) => void;
}): Promise<void> {
  const { rounds, seed, signal, report } = options;
  report(`seed ${seed}`);
  const rig = new Rig();
  const failures: string[] = [];
  try {
    await rig.start();
    const began = performance.now();
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      if (from - began > (options.enoughMs ?? Infinity)) break;
      const problems = await new Round(rig, seed, round).run().catch((error: unknown) => {
        if (signal?.aborted === true) return [];
        throw error;
      });
      // A signal from the terminal ends the daemons too: what this round found says nothing.
      if (signal?.aborted === true) {
        report(`round ${round}: interrupted`);
        break;
      }
      const seconds = ((performance.now() - from) / 1000).toFixed(1);
      report(`round ${round}: ${problems.length === 0 ? "ok" : "FAILED"} (${seconds} s)`);
      if (problems.length === 0) continue;
      failures.push(`round ${round} with seed ${seed}:\n- ${problems.join("\n- ")}\n${rig.logTails()}`);
      report(failures.at(-1) ?? "");
      if (options.keepGoing !== true) break;
    }
  } finally {
    await rig.stop();
  }
  if (failures.length > 0) throw new SoakFailure(failures.join("\n\n"));
}
