import type { Logger } from "@longshore/logger";
import { presentDevices } from "@longshore/netlink";
import { bridgePorts } from "./bridge-ports.ts";
import { CommandFailed, run } from "../run.ts";

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
    const present = await presentDevices(names);
    if (present.length === 0) return;
    try {
      await run("ip", ["-force", "-batch", "-"], present.map((name) => `link del dev ${name}\n`).join(""));
    } catch (error) {
      // A namespace that ends takes its pairs along, perhaps just now.
      if (!(error instanceof CommandFailed) || (await presentDevices(present)).length > 0) throw error;
    }
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
