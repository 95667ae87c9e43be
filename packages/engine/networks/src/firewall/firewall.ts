import type { PublishedPort } from "@longshore/proxy-api";
import type { Logger } from "@longshore/logger";
import { Mutex } from "@longshore/concurrency";
import type { Family } from "@longshore/ip";
import { Netfilter } from "@longshore/netlink";
import { CommandFailed } from "../run.ts";
import type { Firewalld } from "./firewalld.ts";
import type { ForeignFirewall } from "./foreign.ts";
import type { LegacyFirewall } from "./legacy.ts";
import { keyword, nft, rulesOf } from "./nft.ts";
import { type BridgeRules, type LinkRule, portCommands, removeTable, renderTable, type TableOptions } from "./table.ts";

/** What the rules are made of, asked anew at each rebuild. */
export interface RuleSource {
  bridges(family: Family): BridgeRules[];
  ports(family: Family): PublishedPort[];
  links(family: Family): LinkRule[];
}

interface Parts {
  /** Name of the engine's own tables. */
  table: string;
  options: TableOptions;
  source: RuleSource;
  foreign: ForeignFirewall;
  legacy: LegacyFirewall;
  firewalld: Firewalld;
  /** The address families whose packet filter is the engine's business. */
  families: readonly Family[];
  log: Logger;
}

/**
 * The engine's own nftables table, one for each address family. Records are the truth: the table
 * is rebuilt from them at start and whenever it turns out to be gone (a flushed firewall).
 */
export class Firewall {
  readonly #parts: Parts;
  readonly #netfilter = new Netfilter();
  /** One change after the other: a rebuild must not read records that an element is just about to follow. */
  readonly #turn = new Mutex();
  #planned: Promise<void> | undefined;
  /** Changes that wait for their turn, which they take together: many starts at once cost one transaction. */
  #waiting: { commands: string[]; done: Promise<void> } | undefined;
  /** The generation of the ruleset up to which all is known to stand; undefined after somebody else's change. */
  #known: number | undefined;
  /** The rules of our tables as they are when nobody has touched them; undefined until they have been listed. */
  #rules: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Applies a transaction and notes whether it was the only one meanwhile. */
  async #apply(commands: string, before: number): Promise<number | undefined> {
    await nft(commands);
    const after = await this.#netfilter.generation();
    // What others did before us is still to be looked at.
    const alone = after === before + 1 && (this.#known === undefined || this.#known === before);
    return alone ? after : undefined;
  }

  async #rebuild(): Promise<void> {
    const { families, options, source, table, foreign, legacy, firewalld } = this.#parts;
    if (families.length === 0) return;
    const before = await this.#netfilter.generation();
    const tables = families.map((family) => {
      const bridges = source.bridges(family);
      if (bridges.length === 0 && family === 6) return removeTable(family, table);
      return renderTable(family, table, { bridges, ports: source.ports(family), links: source.links(family) }, options);
    });
    const others = await foreign.commands(families, before);
    this.#known = undefined;
    this.#rules = undefined;
    this.#known = await this.#apply(`${tables.join("")}${others.join("\n")}\n`, before);
    if (this.#known !== undefined && others.length === 0) foreign.same(this.#known);
    await legacy.ensure(families, this.#bridges());
    await firewalld.assign(this.#bridges());
  }

  #bridges(): string[] {
    const { families, source } = this.#parts;
    return [...new Set(families.flatMap((family) => source.bridges(family).map(({ device }) => device)))];
  }

  /** Replaces the tables by what the records say now. A rebuild that has not begun yet will do for all who ask for one. */
  rebuild(): Promise<void> {
    this.#planned ??= this.#turn.run(() => {
      this.#planned = undefined;
      return this.#rebuild();
    });
    return this.#planned;
  }

  /** Puts ports in the place of others, all in one transaction. The records say so already. */
  replace(before: Record<Family, PublishedPort[]>, after: Record<Family, PublishedPort[]>): Promise<void> {
    const { families, options, table } = this.#parts;
    const commands = families.flatMap((family) => [
      ...portCommands("delete", family, table, before[family], options),
      ...portCommands("add", family, table, after[family], options),
    ]);
    if (commands.length === 0) return Promise.resolve();
    if (this.#waiting) {
      this.#waiting.commands.push(...commands);
      return this.#waiting.done;
    }
    const done = this.#turn.run(async () => {
      this.#waiting = undefined;
      try {
        const generation = await this.#netfilter.generation();
        const known = await this.#apply(`${commands.join("\n")}\n`, generation);
        if (known !== undefined && this.#known !== undefined) {
          this.#known = known;
          this.#parts.foreign.same(known);
        }
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        this.#parts.log.warn({ err: error, table }, "the firewall table is not as it was left, it is rebuilt");
        await this.#rebuild();
      }
    });
    this.#waiting = { commands, done };
    return done;
  }

  /** What is forwarded without a rule that accepts it is dropped; to be called before forwarding is switched on. */
  dropForwarded(family: Family): Promise<void> {
    return this.#turn.run(async () => {
      const { families, foreign } = this.#parts;
      if (!families.includes(family)) return;
      foreign.dropForwarded(family);
      const commands = await foreign.commands([family]);
      if (commands.length > 0) await nft(`${commands.join("\n")}\n`);
      this.#known = undefined;
    });
  }

  #tables(): string[] {
    const { families, source, table } = this.#parts;
    return families
      .filter((family) => family === 4 || source.bridges(family).length > 0)
      .map((family) => `${keyword[family]} ${table}`);
  }

  /** Rebuilds what somebody flushed away. Costs next to nothing while nobody else changes rules. */
  repair(): Promise<void> {
    return this.#turn.run(async () => {
      const { families, legacy, firewalld, foreign, log, table } = this.#parts;
      if (families.length === 0) return;
      // Its changes do not count as nftables'.
      await legacy.ensure(families, this.#bridges());
      const generation = await this.#netfilter.generation();
      if (generation === this.#known && this.#rules !== undefined) return;
      const rules = await rulesOf(this.#tables());
      if (generation === this.#known) {
        if ((await this.#netfilter.generation()) === generation) this.#rules = rules;
        return;
      }
      const others = await foreign.commands(families, generation);
      if (rules !== undefined && rules === this.#rules && others.length === 0) {
        this.#known = generation;
        await firewalld.assign(this.#bridges());
        return;
      }
      if (rules === undefined || this.#rules !== undefined)
        log.warn({ table }, "the firewall was changed by somebody else, the engine's rules are put back");
      await this.#rebuild();
    });
  }

  /** Takes the engine's rules off the host. What cannot be taken off stays, and is told of, and all else goes. */
  remove(): Promise<void> {
    return this.#turn.run(async () => {
      const { families, legacy, firewalld, foreign, log, table } = this.#parts;
      const step = (what: string, take: () => Promise<void>): Promise<void> =>
        take().catch((error: unknown) => log.error({ err: error, table }, `${what} stay`));
      if (families.length === 0) return;
      await step("rules of the older backend of iptables", () => legacy.remove(families));
      await step("firewalld's zones of bridges", () => firewalld.assign([]));
      for (const family of families) {
        await step("the engine's firewall rules", () => nft(removeTable(family, table)));
        await step("the engine's rules in the table filter", () => foreign.remove(family));
      }
    });
  }

  /** Waits for what is under way and lets go of the kernel's socket. */
  async close(): Promise<void> {
    await this.#turn.run(async () => undefined);
    this.#netfilter[Symbol.dispose]();
  }
}
