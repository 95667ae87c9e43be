import { appendFileSync } from "node:fs";
import Mocha from "mocha";

/** mocha's spec output; the counts are appended to the file that LONGSHORE_COUNTS names, one line a run. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once("end", () => {
      const file = process.env["LONGSHORE_COUNTS"];
      if (file) appendFileSync(file, `${this.stats.passes} ${this.stats.failures}\n`);
    });
  }
}
