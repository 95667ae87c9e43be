import type { Logger } from "@longshore/log";
import type { Family } from "../ipam/prefix.ts";
import { CommandFailed, run } from "../run.ts";
import type { ForeignFirewall } from "./foreign.ts";
import { type BridgeRules, type OpenPort, type PortRule, portCommands, removeTable, renderTable } from "./table.ts";

/** What the rules are made of, asked anew at each rebuild. */
export interface RuleSource {
  bridges(family: Family): BridgeRules[];
  ports(family: Family): PortRule[];
  /** Ports that routed networks let in. */
  open(family: Family): OpenPort[];
}

const families: readonly Family[] = [4, 6];

/** Applies commands in one nftables transaction: all of them or none. */
async function nft(commands: string): Promise<void> {
  await run("nft", ["-f", "-"], commands);
}

/**
 * The engine's own nftables table, one for each address family. Records are the truth: the table
 * is rebuilt from them at start and whenever it turns out to be gone (a flushed firewall).
 */
export class Firewall {
  readonly #table: string;
  readonly #source: RuleSource;
  /** Undefined: the packet filter is none of the engine's business. */
  readonly #foreign: ForeignFirewall | undefined;
  readonly #log: Logger;
  #last: Promise<void> = Promise.resolve();
  /** Changes that wait for their turn, which they take together: many starts at once cost one transaction. */
  #waiting: { commands: string[]; done: Promise<void> } | undefined;

  constructor(table: string, source: RuleSource, foreign: ForeignFirewall | undefined, log: Logger) {
    this.#table = table;
    this.#source = source;
    this.#foreign = foreign;
    this.#log = log;
  }

  /** One change after the other: a rebuild must not read records that an element is just about to follow. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #rebuild(): Promise<void> {
    if (!this.#foreign) return;
    const { bridges, ports, open } = this.#source;
    const tables = families.map((family) =>
      bridges(family).length === 0 && family === 6
        ? removeTable(family, this.#table)
        : renderTable(family, this.#table, { bridges: bridges(family), ports: ports(family), open: open(family) }),
    );
    await nft(`${tables.join("")}${(await this.#foreign.commands()).join("\n")}\n`);
  }

  /** Replaces the tables by what the records say now. */
  rebuild(): Promise<void> {
    return this.#inTurn(() => this.#rebuild());
  }

  /** Adds or deletes ports that the records already have, or have no more. */
  change(action: "add" | "delete", ports: Record<Family, PortRule[]>): Promise<void> {
    const commands = families.flatMap((family) => portCommands(action, family, this.#table, ports[family]));
    if (commands.length === 0 || !this.#foreign) return Promise.resolve();
    if (this.#waiting) {
      this.#waiting.commands.push(...commands);
      return this.#waiting.done;
    }
    const done = this.#inTurn(async () => {
      this.#waiting = undefined;
      try {
        await nft(`${commands.join("\n")}\n`);
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        this.#log.warn({ err: error, table: this.#table }, "the firewall table is not as it was left, it is rebuilt");
        await this.#rebuild();
      }
    });
    this.#waiting = { commands, done };
    return done;
  }

  /** Rebuilds the table if somebody flushed it away. */
  repair(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#foreign) return;
      const tables = await run("nft", ["list", "tables", "ip"]);
      if (tables.split("\n").includes(`table ip ${this.#table}`)) return;
      this.#log.warn({ table: this.#table }, "the firewall table is gone, it is rebuilt");
      await this.#rebuild();
    });
  }

  /** Takes the engine's rules off the host. */
  remove(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#foreign) return;
      await nft(families.map((family) => removeTable(family, this.#table)).join(""));
      await this.#foreign.remove();
    });
  }
}
