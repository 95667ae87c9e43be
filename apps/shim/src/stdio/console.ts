import { closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dup, receiveFd, resizePty, unixListen } from "@longshore/sys";
import type { Shim } from "../shim.ts";

let sequence = 0;

/**
 * The socket on which the runtime sends a terminal's master. It waits for no answer, so that the
 * descriptor is taken when the runtime is done. runc is given a name relative to the bundle, its
 * working directory, since a socket's path holds 107 bytes only.
 */
export class ConsoleSocket {
  readonly name = `console-${sequence++}.sock`;
  readonly #bundle: string;
  readonly #listener: number;

  constructor(bundle: string) {
    this.#bundle = bundle;
    this.#listener = unixListen(bundle, this.name, 1);
  }

  receive(): number {
    return receiveFd(this.#listener);
  }

  close(): void {
    closeSync(this.#listener);
    rmSync(join(this.#bundle, this.name), { force: true });
  }
}

/** A process's terminal; a size that is asked for before it exists is set when it does. */
export class Console {
  #master = -1;
  #size: [number, number] | undefined;

  /** Gives the master to the relay and keeps a duplicate for resizing. */
  open(shim: Shim, channel: number, master: number): void {
    this.#master = dup(master);
    shim.relay.terminal(channel, master);
    if (this.#size !== undefined) resizePty(this.#master, ...this.#size);
  }

  resize(columns: number, rows: number): void {
    this.#size = [columns, rows];
    if (this.#master >= 0) resizePty(this.#master, columns, rows);
  }

  close(): void {
    if (this.#master >= 0) closeSync(this.#master);
    this.#master = -1;
  }
}
