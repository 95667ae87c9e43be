import type { Logger } from "@longshore/logger";
import { installed } from "../bridge/installed.ts";
import type { Family } from "@longshore/ip";
import { legacyFilters } from "./legacy.ts";
import { CommandFailed } from "../run.ts";
import { keyword, listTable, nft, type NftRule, type NftTable } from "./nft.ts";

/** The chain for an administrator's rules on containers' traffic, by Docker's name. */
const userChain = "DOCKER-USER";
/** The mark of what this program adds to tables that are not its own. */
const comment = "longshore";
const programs: Record<Family, string> = { 4: "iptables", 6: "ip6tables" };

function leadsTo({ expr }: NftRule, target: string): boolean {
  return (expr ?? []).some(({ jump, goto }) => jump?.target === target || goto?.target === target);
}

function jumpTo(rule: NftRule, target: string): boolean {
  return rule.chain === "FORWARD" && leadsTo(rule, target);
}

/** `iifname "br0"` of a rule in our own chain. */
function matchOf({ expr }: NftRule): string {
  return (expr ?? [])
    .flatMap(({ match }) => (match ? [`${match.left?.meta?.key} ${JSON.stringify(match.right)}`] : []))
    .join(" ");
}

/**
 * The part of the host's firewall that is iptables' (the tables `ip filter` and `ip6 filter`, as
 * its nftables backend keeps them). `FORWARD` begins with a jump to DOCKER-USER, which is the
 * administrator's. Where `FORWARD` drops by policy, our bridges are accepted in a chain of ours
 * right behind it: an accept in our own table does not undo another's drop.
 */
export class ForeignFirewall {
  readonly #bridges: () => string[];
  readonly #chain: string;
  readonly #log: Logger;
  /** Families that this program has switched IP forwarding on for. */
  readonly #drop = new Set<Family>();
  #listed: { generation: number; tables: Record<Family, NftTable | undefined> } | undefined;

  /** @param table of the engine, which its chain is named after */
  constructor(table: string, bridges: () => string[], log: Logger) {
    this.#chain = table.toUpperCase();
    this.#bridges = bridges;
    this.#log = log;
  }

  /** From now on the host forwards only what a rule accepts. */
  dropForwarded(family: Family): void {
    this.#drop.add(family);
    this.#listed = undefined;
  }

  /** The tables stood the same at that generation of the ruleset. */
  same(generation: number): void {
    if (this.#listed) this.#listed.generation = generation;
  }

  /**
   * `nft` commands that bring the tables to what is needed now; none when they are so already.
   * @param generation of the ruleset, or undefined when it is not known
   */
  async commands(families: readonly Family[], generation?: number): Promise<string[]> {
    if (this.#listed === undefined || this.#listed.generation !== generation) {
      const [four, six] = await Promise.all([
        listTable(4, "filter"),
        families.includes(6) ? listTable(6, "filter") : undefined,
      ]);
      this.#listed = { generation: generation ?? -1, tables: { 4: four, 6: six } };
    }
    const { tables } = this.#listed;
    return families.flatMap((family) => this.#changes(family, tables[family]));
  }

  #changes(family: Family, listed: NftTable | undefined): string[] {
    const { chains, rules } = listed ?? { chains: [], rules: [] };
    const forward = chains.find(({ name }) => name === "FORWARD");
    const drop = this.#drop.has(family) && forward?.policy !== "drop";
    const iptables = installed(programs[family]) && !legacyFilters(family);
    if (!forward && !iptables && !drop) return [];
    const table = `${keyword[family]} filter`;
    const changes: string[] = [];
    if (!forward)
      changes.push(
        `add table ${table}`,
        `add chain ${table} FORWARD { type filter hook forward priority filter; policy accept; }`,
      );
    if (drop) {
      changes.push(`add chain ${table} FORWARD { policy drop; }`);
      this.#log.info(
        { family },
        "IP forwarding is switched on here: what no rule accepts is not forwarded from now on",
      );
    }
    this.#drop.delete(family);
    const user = rules.find((rule) => jumpTo(rule, userChain));
    if (!chains.some(({ name }) => name === userChain)) changes.push(`add chain ${table} ${userChain}`);
    changes.push(...this.#acceptance(table, listed, drop || forward?.policy === "drop", user));
    // Inserted last, it comes first.
    if (!user) changes.push(`insert rule ${table} FORWARD counter jump ${userChain} comment "${comment}"`);
    return changes;
  }

  #acceptance(table: string, listed: NftTable | undefined, dropped: boolean, user: NftRule | undefined): string[] {
    const { chains, rules } = listed ?? { chains: [], rules: [] };
    const there = chains.some(({ name }) => name === this.#chain);
    const jump = rules.find((rule) => jumpTo(rule, this.#chain));
    const wanted = dropped
      ? this.#bridges().flatMap((bridge) => [`iifname ${JSON.stringify(bridge)}`, `oifname ${JSON.stringify(bridge)}`])
      : [];
    if (wanted.length === 0) return there ? this.#emptied(table, rules) : [];
    const own = rules.filter(({ chain }) => chain === this.#chain).map(matchOf);
    if (jump && own.join() === wanted.join()) return [];
    return [
      `add chain ${table} ${this.#chain}`,
      `flush chain ${table} ${this.#chain}`,
      ...wanted.map((match) => `add rule ${table} ${this.#chain} ${match} counter accept`),
      ...(jump
        ? []
        : [
            user
              ? `add rule ${table} FORWARD handle ${user.handle} counter jump ${this.#chain}`
              : `insert rule ${table} FORWARD counter jump ${this.#chain}`,
          ]),
    ];
  }

  /** The chain stays until the engine ends: one that somebody leads to cannot go, and all else would fail with it. */
  #emptied(table: string, rules: readonly NftRule[]): string[] {
    const jumps = rules
      .filter((rule) => jumpTo(rule, this.#chain))
      .map(({ handle }) => `delete rule ${table} FORWARD handle ${handle}`);
    return [
      ...jumps,
      ...(rules.some(({ chain }) => chain === this.#chain) ? [`flush chain ${table} ${this.#chain}`] : []),
    ];
  }

  /**
   * Takes off what is ours. The administrator's rules stay, and DOCKER-USER with them; so does the policy.
   * Jumps go before chains, each chain by itself: one that somebody else leads to, perhaps only just now, stays.
   * @throws CommandFailed when others change the table all the time
   */
  async remove(family: Family): Promise<void> {
    this.#listed = undefined;
    for (let left = 5; ; left--) {
      const listed = await listTable(family, "filter");
      if (!listed) return;
      try {
        return await this.#take(`${keyword[family]} filter`, listed);
      } catch (error) {
        // Somebody else has taken a rule off since it was listed.
        if (!(error instanceof CommandFailed) || left === 0) throw error;
      }
    }
  }

  async #take(table: string, { chains, rules }: NftTable): Promise<void> {
    const named = (target: string) => chains.some(({ name }) => name === target);
    const mine = rules.filter(
      (rule) =>
        jumpTo(rule, this.#chain) ||
        (jumpTo(rule, userChain) && rule.comment === comment && !rules.some(({ chain }) => chain === userChain)),
    );
    const flushed = named(this.#chain) ? [`flush chain ${table} ${this.#chain}`] : [];
    const jumps = mine.map(({ handle }) => `delete rule ${table} FORWARD handle ${handle}`);
    if (jumps.length + flushed.length === 0) return;
    await nft(`${[...jumps, ...flushed].join("\n")}\n`);
    const gone = new Set<string>();
    for (const target of [this.#chain, ...(mine.some((rule) => jumpTo(rule, userChain)) ? [userChain] : [])]) {
      if (named(target) && (await this.#deleteChain(table, target))) gone.add(target);
    }
    const [left, ...others] = chains.filter(({ name }) => !gone.has(name));
    const ruled = rules.some((rule) => !gone.has(rule.chain) && !mine.includes(rule));
    // What is left lets everything pass: it was made for the jump, or is made again by iptables when it is used.
    if (gone.size > 0 && left?.name === "FORWARD" && others.length === 0 && left.policy === "accept" && !ruled)
      await nft(`delete table ${table}\n`);
  }

  /** @returns whether it is gone: the kernel keeps a chain that a rule, or an element of a map, leads to */
  async #deleteChain(table: string, chain: string): Promise<boolean> {
    try {
      await nft(`delete chain ${table} ${chain}\n`);
      return true;
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      this.#log.info({ err: error, table, chain }, "a chain of the firewall stays: others may lead to it");
      return false;
    }
  }
}
