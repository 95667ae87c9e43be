import type { Longshore } from "../engine/longshore.ts";
import type { Result } from "../host/exec.ts";

/** A command that failed while a daemon was away; what it wanted may have been done or not. */
export class Interrupted extends Error {}

/** Runs the stock CLI, and knows which commands a kill may have spoilt. */
export class Commands {
  readonly #longshore: Longshore;
  /** Times (`performance.now`) between which a daemon was away; the last may be open. */
  readonly #away: { from: number; to: number }[] = [];

  constructor(longshore: Longshore) {
    this.#longshore = longshore;
  }

  down(): void {
    this.#away.push({ from: performance.now(), to: Infinity });
  }

  /** Both daemons accept commands again. */
  up(): void {
    const last = this.#away.at(-1);
    if (last !== undefined) last.to = performance.now();
  }

  /** Runs a command; `interrupted` says that a daemon was away in that time. */
  async run(args: readonly string[]): Promise<Result & { interrupted: boolean }> {
    const from = performance.now();
    const result = await this.#longshore.docker(args, { timeoutMs: 30_000 });
    const to = performance.now();
    return { ...result, interrupted: this.#away.some((each) => each.from <= to && each.to >= from) };
  }

  /**
   * Stdout of a command that must succeed.
   * @throws Interrupted when it failed and a daemon was away
   */
  async ok(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr, interrupted } = await this.run(args);
    if (code === 0) return stdout.trimEnd();
    const message = `docker ${args.join(" ")}: exit ${code}: ${stderr || stdout}`;
    throw interrupted ? new Interrupted(message) : new Error(message);
  }
}
