import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startOnHost } from "./host.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** A process that runs test files one after the other, on a host of its own. */
export class Worker {
  readonly #child: ChildProcess;
  #output: Buffer[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream!.on("data", (chunk: Buffer) => this.#output.push(chunk));
  }

  /** Starts one with the hooks, the reporter and the time-out that mocha's own configuration names. */
  static async start(folder: string, root: string): Promise<Worker> {
    const config = JSON.parse(readFileSync(join(root, ".mocharc.e2e.json"), "utf8")) as {
      require: [string];
      reporter: string;
      timeout: number;
    };
    const args = [join(root, config.require[0]), join(root, config.reporter), String(config.timeout)];
    const env = {
      ...process.env,
      LONGSHORE_WORKERS: "1",
      LONGSHORE_COUNTS: join(folder, "counts"),
      LONGSHORE_FAILURES: join(folder, "failures"),
    };
    const worker = new Worker(await startOnHost(folder, join(import.meta.dirname, "worker.ts"), args, env));
    await worker.#next();
    return worker;
  }

  /** Runs a file and prints what it said. @returns the processor's seconds that it took, undefined when the process died */
  async run(file: string): Promise<number | undefined> {
    this.#child.send({ run: file } satisfies ToWorker);
    const message = await this.#next();
    const ran = message !== false && "ran" in message ? message.processor : undefined;
    process.stdout.write(Buffer.concat(this.#output));
    this.#output = [];
    return ran;
  }

  async end(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.send({ end: true } satisfies ToWorker);
    await ended;
    process.stdout.write(Buffer.concat(this.#output));
  }

  /** The worker's next message; false when there is none, as it ended. */
  async #next(): Promise<FromWorker | false> {
    const over = new AbortController();
    try {
      return await Promise.race([
        once(this.#child, "message", { signal: over.signal }).then(([message]) => message as FromWorker),
        once(this.#child, "exit", { signal: over.signal }).then(() => false as const),
      ]);
    } finally {
      over.abort();
    }
  }
}
