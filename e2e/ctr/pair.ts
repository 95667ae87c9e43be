import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Containerd } from "../engine/containerd.ts";
import { shared } from "../engine/shared.ts";
import type { ExecOptions, Result } from "../host/exec.ts";
import { until } from "../host/until.ts";

export const image = "example.org/e2e/busybox:1";

/** One of the two containerds in a scenario: its commands and what they printed are kept for the comparison. */
export class Side {
  readonly containerd: Containerd;
  readonly transcript: string[] = [];

  constructor(containerd: Containerd) {
    this.containerd = containerd;
  }

  /** A directory that goes with the containerd; its path is the same in both transcripts. */
  get dir(): string {
    return join(this.containerd.dir, "files");
  }

  /** Runs the stock ctr and keeps what it printed. */
  async ctr(...args: string[]): Promise<Result> {
    return this.run(args);
  }

  async run(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    const result = await this.containerd.ctr(args, { timeoutMs: 20_000, ...options });
    this.note(`$ ctr ${args.join(" ")}`, `exit ${result.code}`, result.stdout, result.stderr);
    return result;
  }

  /** Like `ctr`, in a terminal. */
  async terminal(args: readonly string[], inputs: readonly { prompt: string; input: string }[] = []): Promise<void> {
    const { code, output } = await this.containerd.terminal(args, inputs);
    this.note(`$ ctr ${args.join(" ")}`, `exit ${code}`, output);
  }

  /** Keeps texts that are to be the same on both sides. */
  note(...texts: string[]): void {
    this.transcript.push(...texts.filter(Boolean).map((text) => this.#normalize(text)));
  }

  /** Waits until a task has ended. */
  async stopped(id: string): Promise<void> {
    await until(`task ${id} has stopped`, async () =>
      new RegExp(`^${id} +\\d+ +STOPPED`, "m").test(await this.containerd.ok("tasks", "ls")),
    );
  }

  /** What cannot be the same: where they are, when it was, which pid it got, how wide that makes a column. */
  #normalize(text: string): string {
    return (
      text
        .replaceAll(this.containerd.dir, "DIR")
        .replaceAll(this.containerd.namespace, "NAMESPACE")
        .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( \w+)?/g, "TIME")
        .replace(/^(\S+ +)\d+( +(?:RUNNING|STOPPED|CREATED|PAUSED))/gm, "$1PID$2")
        .replace(/^\d+( +(?:-|exec_id))/gm, "PID$1")
        // Whether ctr's first resize comes before a short exec's end is chance.
        .replace(/^.*resize pty.*\n/gm, "")
        .replace(/process \d+/g, "process PID")
        .replace(/(?<=\/fifo\/|output-|containerd-mount|\/log)-?\d+/g, "")
        .replace(/[ \t]+/g, " ")
        .replace(/ $/gm, "")
    );
  }
}

/** Our containerd and a stock one, side by side, with the same image in both. */
export class Pair {
  readonly dir = mkdtempSync("/tmp/ctr-");
  readonly ours = new Containerd("ours", join(this.dir, "o"), `e2e-ours-${process.pid}`);
  readonly stock = new Containerd("stock", join(this.dir, "s"), `e2e-stck-${process.pid}`);

  async start(): Promise<void> {
    const archive = join(this.dir, "image.tar");
    await shared.ok(["tag", "busybox", image]);
    await shared.ok(["save", "-o", archive, image]);
    await shared.ok(["rmi", image]);
    await Promise.all(
      [this.ours, this.stock].map(async (containerd) => {
        await containerd.daemon.start();
        await containerd.ok("images", "import", archive);
      }),
    );
  }

  /** Plays the scenario on both; what its commands printed must be the same. */
  async same(scenario: (side: Side) => Promise<void>): Promise<void> {
    const sides = [new Side(this.ours), new Side(this.stock)] as const;
    const ends = await Promise.allSettled(
      sides.map(async (side) => {
        mkdirSync(side.dir, { recursive: true });
        try {
          await scenario(side);
        } finally {
          await side.containerd.clear();
        }
      }),
    );
    assert.equal(
      sides[0].transcript.join("\n"),
      sides[1].transcript.join("\n"),
      "ours is not what the stock containerd prints",
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async dispose(): Promise<void> {
    const ends = await Promise.allSettled([this.ours.dispose(), this.stock.dispose()]);
    rmSync(this.dir, { recursive: true, force: true });
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}
