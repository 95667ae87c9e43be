import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Containerd } from "../engine/containerd.ts";
import { Registry } from "../stock/registry.ts";
import { normalize } from "./normalize.ts";

/** A ctr command line, its words apart by one blank; `{dir}`, `{registry}` and `{namespace}` stand for the twin's own. */
export type Step = string | { run: string; input: string };

/** What a command did, without what differs from run to run. */
export interface Outcome {
  step: string;
  code: number;
  stdout: string[];
  stderr: string[];
}

/** A containerd, with a registry that nobody else pushes to. */
class Twin {
  readonly containerd: Containerd;
  readonly registry = new Registry();

  constructor(containerd: Containerd) {
    this.containerd = containerd;
  }

  get dir(): string {
    return this.containerd.dir;
  }

  async start(): Promise<void> {
    await this.registry.start();
    await this.containerd.daemon.start();
    mkdirSync(join(this.dir, "mnt"));
  }

  /** Runs one command of the stock ctr. */
  async run(step: Step): Promise<Outcome> {
    const { run: line, input } = typeof step === "string" ? { run: step, input: undefined } : step;
    const words = line
      .split(" ")
      .map((word) =>
        word
          .replaceAll("{dir}", this.dir)
          .replaceAll("{registry}", this.registry.address)
          .replaceAll("{namespace}", this.containerd.namespace),
      );
    const { code, stdout, stderr } = await this.containerd.ctr(words, {
      timeoutMs: 30_000,
      ...(input !== undefined && { input }),
    });
    return { step: line, code, stdout: this.normalize(stdout), stderr: this.normalize(stderr) };
  }

  readonly normalize = (output: string): string[] => {
    const { dir, namespace } = this.containerd;
    return normalize(output, [
      [dir, "{dir}"],
      [this.registry.address, "{registry}"],
      [new RegExp(`${namespace}/\\d+/`, "g"), "{namespace}/{n}/"],
      [namespace, "{namespace}"],
    ]);
  };

  async dispose(): Promise<void> {
    await this.registry.stop();
    await this.containerd.dispose();
  }
}

/** Our containerd and the stock one, empty, for lists of commands that both are given. */
export class Twins {
  readonly #dir = mkdtempSync("/tmp/ctr-");
  readonly ours: Twin;
  readonly stock: Twin;

  /** @param namespace of the commands */
  constructor(namespace: string) {
    this.ours = new Twin(new Containerd("ours", join(this.#dir, "o"), namespace));
    this.stock = new Twin(new Containerd("stock", join(this.#dir, "s"), namespace));
  }

  get both(): readonly Twin[] {
    return [this.ours, this.stock];
  }

  async start(): Promise<void> {
    await Promise.all(this.both.map((twin) => twin.start()));
  }

  /** Gives both the same commands, one after the other. @returns what ours and what the stock one did */
  run(steps: readonly Step[]): Promise<Outcome[][]> {
    return Promise.all(
      this.both.map(async (twin) => {
        const outcomes: Outcome[] = [];
        for (const step of steps) outcomes.push(await twin.run(step));
        return outcomes;
      }),
    );
  }

  /** Gives both the same commands; all that they print and their exit codes must be equal. */
  async same(steps: readonly Step[]): Promise<Outcome[]> {
    const [ours = [], stock = []] = await this.run(steps);
    for (const [at, outcome] of ours.entries()) withoutPictures(outcome, stock[at]);
    assert.deepEqual(ours, stock);
    return ours;
  }

  async dispose(): Promise<void> {
    const ends = await Promise.allSettled(this.both.map((twin) => twin.dispose()));
    rmSync(this.#dir, { recursive: true, force: true });
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

/** Whether a picture of the progress was drawn at all before the end is a matter of milliseconds: one of two may have none. */
function withoutPictures(ours: Outcome, stock: Outcome | undefined): void {
  if (stock === undefined || !/^images (?:pull|push|import|export) /.test(ours.step)) return;
  if (ours.stdout.length === 0 || stock.stdout.length === 0) ours.stdout = stock.stdout = [];
}
