import { Killed } from "./killed.ts";

/** By hand: `LONGSHORE_KILLED_ROUNDS=500 mocha … e2e/killed.test.ts`, with `LONGSHORE_KILLED_SEED` to repeat. */
const rounds = process.env["LONGSHORE_KILLED_ROUNDS"];
const seed = process.env["LONGSHORE_KILLED_SEED"] ?? String(Date.now());
/** Without a number of rounds: so many milliseconds. */
const enoughMs = 20_000;

describe("a command cut short by SIGKILL to a daemon", () => {
  let killed: Killed;
  before(async function () {
    this.timeout(60_000);
    killed = new Killed();
    await killed.start();
  });
  after(async function () {
    this.timeout(60_000);
    await killed.stop();
  });

  it("at any moment: nothing half is there after the next start, and the same command succeeds", async function () {
    this.timeout(rounds === undefined ? 120_000 : 36_000_000);
    // The tests begin at another command each time.
    const first =
      rounds === undefined
        ? Number(BigInt.asUintN(20, BigInt(Date.now())))
        : Number(process.env["LONGSHORE_KILLED_FIRST"] ?? 0);
    const failures: string[] = [];
    const from = performance.now();
    for (
      let round = first;
      rounds === undefined ? performance.now() - from < enoughMs : round < first + Number(rounds);
      round++
    ) {
      try {
        const words = await killed.round(seed, round);
        if (rounds !== undefined) process.stderr.write(`${words}\n`);
      } catch (error) {
        failures.push(`${error instanceof Error ? error.message : String(error)}\n${killed.logTails()}`);
        if (rounds !== undefined) process.stderr.write(`FAILED ${failures.at(-1)}\n`);
        if (rounds === undefined) break;
        // What one round left would fail all others.
        await killed.stop();
        killed = new Killed();
        await killed.start();
      }
    }
    if (failures.length > 0) throw new Error(failures.join("\n\n"));
  });
});
