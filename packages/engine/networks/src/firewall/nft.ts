import { CommandFailed, run } from "../run.ts";
import type { Family } from "@longshore/ip";

/** A chain and a rule as `nft -j` lists them, of what matters here. */
interface NftChain {
  name: string;
  policy?: string;
}
export interface NftRule {
  chain: string;
  handle: number;
  comment?: string;
  expr?: {
    jump?: { target: string };
    goto?: { target: string };
    match?: { left?: { meta?: { key: string } }; right?: unknown };
  }[];
}

export interface NftTable {
  chains: NftChain[];
  rules: NftRule[];
}

export const keyword: Record<Family, "ip" | "ip6"> = { 4: "ip", 6: "ip6" };

/** Applies commands in one nftables transaction: all of them or none. */
export async function nft(commands: string): Promise<void> {
  await run("nft", ["-f", "-"], commands);
}

/** A table of the host; undefined when there is none. */
export async function listTable(family: Family, name: string): Promise<NftTable | undefined> {
  let output: string;
  try {
    output = await run("nft", ["-j", "-a", "list", "table", keyword[family], name]);
  } catch (error) {
    if (error instanceof CommandFailed && error.stderr.includes("No such file or directory")) return undefined;
    throw error;
  }
  const { nftables } = JSON.parse(output) as { nftables: { chain?: NftChain; rule?: NftRule }[] };
  return { chains: nftables.flatMap(({ chain }) => chain ?? []), rules: nftables.flatMap(({ rule }) => rule ?? []) };
}

/** The rules of tables as text, without counters and what is in sets; undefined when one of them is gone. */
export async function rulesOf(tables: readonly string[]): Promise<string | undefined> {
  if (tables.length === 0) return "";
  try {
    return await run("nft", ["-s", "-t", "-f", "-"], tables.map((table) => `list table ${table}\n`).join(""));
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
