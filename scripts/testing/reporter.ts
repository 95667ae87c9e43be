import { appendFileSync } from "node:fs";
import Mocha from "mocha";

/**
 * mocha's spec output; the counts are appended to the file that LONGSHORE_COUNTS names, one line a
 * run, and each failed test to the one that LONGSHORE_FAILURES names, one line a test: a log that
 * is cut at its beginning still names them all.
 */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const { LONGSHORE_COUNTS: counts, LONGSHORE_FAILURES: failures } = process.env;
    runner.on("fail", (test, error: Error) => {
      const reason = String(error.message).replaceAll(/\s+/g, " ").slice(0, 500);
      if (failures) appendFileSync(failures, `FAILED: ${test.fullTitle()}: ${reason}\n`);
    });
    runner.once("end", () => {
      if (counts) appendFileSync(counts, `${this.stats.passes} ${this.stats.failures}\n`);
    });
  }
}
