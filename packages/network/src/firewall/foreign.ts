import type { Logger } from "@longshore/log";
import { CommandFailed, run } from "../run.ts";

/** The mark by which our rules in another's chain are known. */
const comment = "longshore";

interface NftChain {
  name: string;
  policy?: string;
}

interface NftRule {
  chain: string;
  handle: number;
  comment?: string;
}

interface NftListing {
  nftables: { chain?: NftChain; rule?: NftRule }[];
}

/**
 * What another engine's or an administrator's iptables rules need to let our packets pass: an
 * accept in our own table does not undo their drop. Where `ip filter FORWARD` drops by policy, our
 * bridges are accepted in the chain that is meant for that (DOCKER-USER), or else in FORWARD.
 */
export class ForeignFirewall {
  readonly #bridges: () => string[];
  readonly #log: Logger;

  constructor(bridges: () => string[], log: Logger) {
    this.#bridges = bridges;
    this.#log = log;
  }

  /** `ip filter` as iptables-nft keeps it; undefined without it. */
  async #list(): Promise<{ chains: NftChain[]; rules: NftRule[] } | undefined> {
    let output: string;
    try {
      output = await run("nft", ["-j", "-a", "list", "table", "ip", "filter"]);
    } catch (error) {
      if (error instanceof CommandFailed && error.stderr.includes("No such file or directory")) return undefined;
      throw error;
    }
    const { nftables } = JSON.parse(output) as NftListing;
    return { chains: nftables.flatMap(({ chain }) => chain ?? []), rules: nftables.flatMap(({ rule }) => rule ?? []) };
  }

  static #removal(rules: readonly NftRule[]): string[] {
    return rules.filter((rule) => rule.comment === comment).map(({ chain, handle }) => `delete rule ip filter ${chain} handle ${handle}`);
  }

  /** `nft` commands that bring the other's chain to what our bridges need now; none when it is so already, or lets all pass. */
  async commands(): Promise<string[]> {
    const listing = await this.#list();
    if (!listing) return [];
    const { chains, rules } = listing;
    const removal = ForeignFirewall.#removal(rules);
    if (chains.find(({ name }) => name === "FORWARD")?.policy !== "drop") return removal;
    const chain = chains.some(({ name }) => name === "DOCKER-USER") ? "DOCKER-USER" : "FORWARD";
    const wanted = this.#bridges().flatMap((bridge) => [`iifname "${bridge}"`, `oifname "${bridge}"`]);
    if (removal.length === 0 && wanted.length > 0) this.#log.info({ chain }, "another firewall drops what is forwarded, our bridges are accepted there");
    return [...removal, ...wanted.map((match) => `insert rule ip filter ${chain} ${match} accept comment "${comment}"`)];
  }

  /** Takes our rules out of the other's chain. */
  async remove(): Promise<void> {
    const listing = await this.#list();
    const removal = listing ? ForeignFirewall.#removal(listing.rules) : [];
    if (removal.length > 0) await run("nft", ["-f", "-"], `${removal.join("\n")}\n`);
  }
}
