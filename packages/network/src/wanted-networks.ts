import type { EndpointSettings } from "@longshore/api";
import { NotFound } from "@longshore/errdefs";
import type { SandboxRequest } from "./contract.ts";
import type { NetworkStore } from "./networks.ts";
import type { NetworkRecord } from "./records.ts";

export interface WantedNetwork {
  network: NetworkRecord;
  settings: Partial<EndpointSettings>;
}

/**
 * The networks to join, each with what was asked for there: the mode's own first, and alone when none are named.
 * @throws NotFound for a network that is gone
 */
export function wantedNetworks(networks: NetworkStore, { networkMode, endpoints }: SandboxRequest): WantedNetwork[] {
  const plain = (name: string) => (name === "default" || name === "" ? "bridge" : name);
  const named = Object.entries(endpoints).map(([name, settings]) => ({ network: networks.record(plain(name)), settings }));
  if (named.length === 0) return [{ network: networks.record(plain(networkMode)), settings: {} }];
  let mode: NetworkRecord;
  try {
    mode = networks.record(plain(networkMode));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new NotFound(`could not find a network matching network mode ${networkMode}: ${error.message}`, { cause: error });
  }
  const rank = ({ id, name }: NetworkRecord) => (id === mode.id ? "" : name);
  const sorted = named.sort((a, b) => (rank(a.network) < rank(b.network) ? -1 : 1));
  // One network may have been named twice, by its name and its id.
  return [...new Map(sorted.map((wish) => [wish.network.id, wish])).values()];
}
