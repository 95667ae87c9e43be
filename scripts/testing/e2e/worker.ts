import Mocha from "mocha";
import type { FromWorker, ToWorker } from "./messages.ts";
import { processorSeconds } from "./processor-time.ts";

/**
 * Runs the test files that the runner names, one after the other in this process, with the root hooks around all of
 * them: mocha's own parallel mode runs them around each file, which would start and end an engine for each.
 *
 * usage: worker.ts HOOKS REPORTER TIMEOUT_MS
 */
const [hooks, reporter, timeout] = process.argv.slice(2) as [string, string, string];
type Hook = (this: { timeout(ms: number): void }) => Promise<void>;
const { mochaHooks } = (await import(hooks)) as { mochaHooks: { beforeAll: Hook; afterAll: Hook } };
const { default: Reporter } = (await import(reporter)) as { default: Mocha.ReporterConstructor };
const context = { timeout: (): void => undefined };

function tell(message: FromWorker): void {
  process.send!(message);
}

async function run(file: string): Promise<void> {
  const before = processorSeconds();
  const mocha = new Mocha({ timeout: Number(timeout), reporter: Reporter }).addFile(file);
  await mocha.loadFilesAsync();
  await new Promise((resolve) => mocha.run(resolve));
  tell({ ran: file, processor: processorSeconds() - before });
}

process.on("message", (message: ToWorker) => {
  if ("run" in message) return void run(message.run);
  void mochaHooks.afterAll.call(context).then(() => process.exit(0));
});
await mochaHooks.beforeAll.call(context);
tell({ ready: true });
