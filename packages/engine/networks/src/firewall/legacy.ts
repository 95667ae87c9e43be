import { existsSync, readFileSync } from "node:fs";
import type { Logger } from "@longshore/logger";
import { installed } from "../bridge/installed.ts";
import type { Family } from "@longshore/ip";
import { CommandFailed, run } from "../run.ts";

/** The chain for an administrator's rules on containers' traffic, by Docker's name. */
const userChain = "DOCKER-USER";
const programs: Record<Family, string> = { 4: "iptables", 6: "ip6tables" };
const loadedTables: Record<Family, string> = { 4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names" };

/** Whether the older backend of iptables filters here, which knows nothing of nftables. */
export function legacyFilters(family: Family): boolean {
  return existsSync(loadedTables[family]) && readFileSync(loadedTables[family], "utf8").split("\n").includes("filter");
}

/**
 * What has to change in the filter table: as text for `iptables-restore`; none when it is so already.
 * @param listed the table as `iptables -S` prints it
 * @param chain of the engine
 * @param bridges whose packets are accepted there while FORWARD drops by policy
 */
export function legacyChanges(listed: readonly string[], chain: string, bridges: readonly string[]): string[] {
  const accepted = listed.includes("-P FORWARD DROP")
    ? bridges.flatMap((bridge) => [`-A ${chain} -i ${bridge} -j ACCEPT`, `-A ${chain} -o ${bridge} -j ACCEPT`])
    : [];
  // Such jumps as are made here; what leads to a chain with a condition, or from elsewhere, is the administrator's.
  const jumps = listed
    .filter((line) => line.startsWith("-A FORWARD "))
    .map((line) => /^-A FORWARD -j (\S+)$/.exec(line)?.[1] ?? "");
  const wanted = [userChain, ...(accepted.length > 0 ? [chain] : [])];
  const rules = listed.filter((line) => line.startsWith(`-A ${chain} `));
  const inPlace =
    wanted.every((target, index) => jumps[index] === target) && jumps.includes(chain) === wanted.includes(chain);
  if (inPlace && rules.join() === accepted.join()) return [];
  // One of the administrator's jumps is moved to its place; our own go, however often they stand there.
  const ours = [
    ...new Set(jumps.filter((target) => target === userChain)),
    ...jumps.filter((target) => target === chain),
  ];
  return [
    // A chain that is named here is emptied: the administrator's only when there is none. Ours stays, empty, until the
    // engine ends: one that others' rules lead to cannot go, and all else would fail with it.
    ...(listed.includes(`-N ${userChain}`) ? [] : [`:${userChain} - [0:0]`]),
    ...(accepted.length > 0 || listed.includes(`-N ${chain}`) ? [`:${chain} - [0:0]`] : []),
    ...accepted,
    ...ours.map((target) => `-D FORWARD -j ${target}`),
    ...wanted.map((target, index) => `-I FORWARD ${index + 1} -j ${target}`),
  ];
}

/** The bridges' place in the older backend of iptables, on hosts where that one filters: as in the newer one. */
export class LegacyFirewall {
  readonly #chain: string;
  readonly #log: Logger;

  /** @param chain the engine's own */
  constructor(chain: string, log: Logger) {
    this.#chain = chain;
    this.#log = log;
  }

  /** @returns the table as it was before; none where this backend does not filter */
  async #apply(family: Family, bridges: readonly string[]): Promise<string[]> {
    const program = `${programs[family]}-legacy`;
    if (!legacyFilters(family) || !installed(program)) return [];
    const listed = (await run(program, ["-w", "-S"])).split("\n");
    const changes = legacyChanges(listed, this.#chain, bridges);
    if (changes.length > 0)
      await run(`${program}-restore`, ["-w", "--noflush"], ["*filter", ...changes, "COMMIT", ""].join("\n"));
    return listed;
  }

  /** Brings the families' tables to what is needed now. */
  async ensure(families: readonly Family[], bridges: readonly string[]): Promise<void> {
    for (const family of families) await this.#apply(family, bridges);
  }

  /** Takes off what is ours; the chain stays where others' rules lead to it. */
  async remove(families: readonly Family[]): Promise<void> {
    for (const family of families) {
      const listed = await this.#apply(family, []);
      if (!listed.includes(`-N ${this.#chain}`)) continue;
      await run(`${programs[family]}-legacy`, ["-w", "-X", this.#chain]).catch((error: unknown) => {
        if (!(error instanceof CommandFailed)) throw error;
        this.#log.info({ err: error, chain: this.#chain }, "a chain of the firewall stays: others may lead to it");
      });
    }
  }
}
