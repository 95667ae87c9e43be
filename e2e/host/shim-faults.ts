import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { repository } from "../engine/tools.ts";
import { must } from "./exec.ts";

/** What fails together; in the order of shim-faults.c. */
export const shimFaultGroups = [
  "open",
  "socket",
  "descriptor",
  "spawn",
  "write",
  "change",
  "stat",
  "list",
  "splice",
  "watch",
  "mount",
] as const;

export type ShimFaultGroup = (typeof shimFaultGroups)[number];

/** Makes system calls of shims that `path` starts fail, by turns with EMFILE, ENFILE, ENOMEM and ENOSPC. */
export class ShimFaults {
  /** A shim to be named as a runtime's type. */
  readonly path: string;
  readonly #control: string;
  readonly #fd: number;

  /** @param dir for the launcher, which has the shim's own name, and its control file */
  constructor(dir: string) {
    this.path = join(dir, "containerd-shim-longshore-v2");
    this.#control = join(dir, "shim-faults.control");
    this.#fd = openSync(this.#control, "w+");
    this.disarm();
  }

  async build(): Promise<void> {
    const shim = join(repository, "apps/shim/build/containerd-shim-longshore-v2");
    await must("cc", [
      ...["-O2", "-Wall", "-Werror", `-DSHIM="${shim}"`, `-DCONTROL="${this.#control}"`],
      ...["-o", this.path, fileURLToPath(new URL("shim-faults.c", import.meta.url))],
    ]);
  }

  /** From now on the next `count` calls of the group fail. */
  arm(group: ShimFaultGroup, count: number): void {
    this.#write(shimFaultGroups.indexOf(group) + 1, count);
  }

  disarm(): void {
    this.#write(0, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(group: number, count: number): void {
    const values = new BigInt64Array([BigInt(group), BigInt(count)]);
    writeSync(this.#fd, values, 0, values.byteLength, 0);
  }
}
