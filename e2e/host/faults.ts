import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must } from "./exec.ts";

/** What fails together; in the order of faults.c. */
export const faultGroups = [
  "accept",
  "socket",
  "connect",
  "open",
  "pipe",
  "inotify",
  "spawn",
  "write",
  "sync",
  "change",
  "lookup",
  "stat",
  "list",
] as const;

export type FaultGroup = (typeof faultGroups)[number];

/** Makes system calls of the daemons that have `env` fail, by turns with EMFILE, ENFILE, ENOMEM and ENOSPC. */
export class Faults {
  readonly env: Record<string, string>;
  readonly #fd: number;
  readonly #library: string;

  /** @param dir for the compiled library and its control file */
  constructor(dir: string) {
    this.#library = join(dir, "faults.so");
    const control = join(dir, "faults.control");
    this.#fd = openSync(control, "w+");
    this.disarm();
    this.env = { LD_PRELOAD: this.#library, FAULTS_CONTROL: control };
  }

  async build(): Promise<void> {
    await must("cc", [
      "-O2",
      "-Wall",
      "-Werror",
      "-shared",
      "-fPIC",
      "-o",
      this.#library,
      fileURLToPath(new URL("faults.c", import.meta.url)),
      "-ldl",
    ]);
  }

  /** From now on the next `count` calls of the group fail. */
  arm(group: FaultGroup, count: number): void {
    this.#write(faultGroups.indexOf(group) + 1, count);
  }

  /** @returns how many of the calls that were to fail have not been made */
  disarm(): number {
    const values = new BigInt64Array(2);
    readSync(this.#fd, values, 0, values.byteLength, 0);
    this.#write(0, 0);
    return Math.max(0, Number(values[1]));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(group: number, count: number): void {
    const values = new BigInt64Array([BigInt(group), BigInt(count)]);
    writeSync(this.#fd, values, 0, values.byteLength, 0);
  }
}
