import type { Logger } from "@longshore/logger";
import { removeLink } from "../bridge/bridge.ts";
import { bridgePorts } from "./bridge-ports.ts";

/** How long the kernel may take to end a namespace, and its links with it, in milliseconds. */
const graceMs = 2000;

/**
 * Takes the host sides of pairs away. Deleting one takes the kernel some 25 ms, so for a sandbox
 * that is released its end is left to the end of the namespace, which does it in the background;
 * what a process that is still in the namespace keeps alive is deleted a little later.
 */
export class VethRemover {
  readonly #log: Logger;
  readonly #expected = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Deletes devices now; absent ones are no error. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await removeLink(name);
  }

  /** Devices whose namespace has just been given up. */
  expectGone(names: readonly string[]): void {
    for (const name of names) if (name !== "") this.#expected.add(name);
    this.#timer ??= setTimeout(() => {
      this.settled().catch((error: unknown) =>
        this.#log.error({ err: error }, "links of ended containers cannot be removed"),
      );
    }, graceMs).unref();
  }

  /** Deletes all that is still expected to go. */
  async settled(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = [...this.#expected];
    this.#expected.clear();
    await this.remove(names);
  }

  /** Deletes the pairs on our bridges that nobody knows. */
  async removeStrays(bridges: readonly string[], known: ReadonlySet<string>): Promise<void> {
    const ports = await bridgePorts(bridges);
    await this.remove(ports.filter((port) => /^veth[0-9a-f]{7}$/.test(port) && !known.has(port)));
  }
}
