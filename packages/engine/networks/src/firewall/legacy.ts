import { existsSync, readFileSync } from "node:fs";
import { installed } from "../bridge/installed.ts";
import type { Family } from "@longshore/ip";
import { run } from "../run.ts";

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
  const jumps = listed
    .filter((line) => line.startsWith("-A FORWARD "))
    .map((line) => /-j (\S+)$/.exec(line)?.[1] ?? "");
  const wanted = [userChain, ...(accepted.length > 0 ? [chain] : [])];
  const used = listed.some(
    (line) => line.startsWith("-A ") && !line.startsWith("-A FORWARD ") && new RegExp(` -[jg] ${chain}$`).test(line),
  );
  const rules = listed.filter((line) => line.startsWith(`-A ${chain} `));
  const inPlace =
    wanted.every((target, index) => jumps[index] === target) && jumps.includes(chain) === wanted.includes(chain);
  if (inPlace && rules.join() === accepted.join() && listed.includes(`-N ${chain}`) === (accepted.length > 0 || used))
    return [];
  // One of the administrator's jumps is moved to its place; our own go, however often they stand there.
  const ours = [
    ...new Set(jumps.filter((target) => target === userChain)),
    ...jumps.filter((target) => target === chain),
  ];
  return [
    // A chain that is named here is emptied: the administrator's only when there is none.
    ...(listed.includes(`-N ${userChain}`) ? [] : [`:${userChain} - [0:0]`]),
    `:${chain} - [0:0]`,
    ...accepted,
    ...ours.map((target) => `-D FORWARD -j ${target}`),
    ...wanted.map((target, index) => `-I FORWARD ${index + 1} -j ${target}`),
    // One that others' rules lead to stays, empty.
    ...(accepted.length > 0 || used ? [] : [`-X ${chain}`]),
  ];
}

/** The bridges' place in the older backend of iptables, on hosts where that one filters: as in the newer one. */
export class LegacyFirewall {
  readonly #chain: string;

  /** @param chain the engine's own */
  constructor(chain: string) {
    this.#chain = chain;
  }

  async #apply(family: Family, bridges: readonly string[]): Promise<void> {
    const program = `${programs[family]}-legacy`;
    if (!legacyFilters(family) || !installed(program)) return;
    const listed = (await run(program, ["-w", "-S"])).split("\n");
    const changes = legacyChanges(listed, this.#chain, bridges);
    if (changes.length > 0)
      await run(`${program}-restore`, ["-w", "--noflush"], ["*filter", ...changes, "COMMIT", ""].join("\n"));
  }

  /** Brings the families' tables to what is needed now. */
  async ensure(families: readonly Family[], bridges: readonly string[]): Promise<void> {
    for (const family of families) await this.#apply(family, bridges);
  }
}
