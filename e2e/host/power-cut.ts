import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must } from "./exec.ts";

export type Strike = "cut" | "kill" | "kill anywhere";
const modes: Record<Strike, bigint> = { cut: 1n, kill: 2n, "kill anywhere": 3n };

/**
 * Takes the power away from a disk at a chosen moment of the processes that have `env`: from then on
 * nothing is written, and what was not synced is lost. Between two syncs a disk does not change, so
 * cuts right before each sync are all there are. Or kills the process instead: at a chosen write to the
 * disk (`kill`), or at any such write, message on a socket, mount or change of namespace (`kill anywhere`).
 */
export class PowerCut {
  readonly env: Record<string, string>;
  readonly #fd: number;
  readonly #source = fileURLToPath(new URL("power-cut.c", import.meta.url));
  readonly #library: string;

  /** @param dir for the compiled library and its control file, not on the disk */
  constructor(dir: string, disk: string) {
    this.#library = join(dir, "power-cut.so");
    const control = join(dir, "power-cut.control");
    this.#fd = openSync(control, "w+");
    this.disarm();
    this.env = { LD_PRELOAD: this.#library, POWER_CUT_CONTROL: control, POWER_CUT_DISK: disk };
  }

  async build(): Promise<void> {
    await must("cc", ["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", this.#library, this.#source, "-ldl"]);
  }

  /** Counts from now on, and strikes at number `target`. */
  arm(mode: Strike, target: number): void {
    this.#write(modes[mode], BigInt(target));
  }

  disarm(): void {
    this.#write(0n, 0n);
  }

  /** How many calls were counted since `arm`. */
  get count(): number {
    const values = new BigInt64Array(3);
    readSync(this.#fd, values, 0, values.byteLength, 0);
    return Number(values[2]);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(mode: bigint, target: bigint): void {
    const values = new BigInt64Array([mode, target, 0n]);
    writeSync(this.#fd, values, 0, values.byteLength, 0);
  }
}
