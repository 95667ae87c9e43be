import type { EndpointSettings } from "@longshore/docker-api";
import { InvalidArgument, isKind, NotFound } from "@longshore/errdefs";
import type { SandboxRequest } from "../contract.ts";
import type { NetworkStore } from "../network/networks.ts";
import type { NetworkRecord } from "../records/records.ts";

export interface WantedNetwork {
  network: NetworkRecord;
  settings: Partial<EndpointSettings>;
}

/** What cannot go together. @throws InvalidArgument with Docker's messages */
function refuseMixture(mode: string, networks: readonly NetworkRecord[]): void {
  const drivers = networks.map(({ driver }) => driver);
  if (mode !== "host" && drivers.includes("host"))
    throw new InvalidArgument(
      "cannot connect container to host network - container must be created in host network mode",
    );
  if (mode === "host" && drivers.some((driver) => driver !== "host")) {
    throw new InvalidArgument(
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (drivers.length > 1 && drivers.includes("null")) {
    throw new InvalidArgument(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
}

function find(networks: NetworkStore, name: string): NetworkRecord | undefined {
  try {
    return networks.record(name);
  } catch (error) {
    // There is none with `--bridge none`: who asks for it has no network, and that is no error.
    if (name === "bridge" && isKind(error, "NotFound")) return undefined;
    throw error;
  }
}

/**
 * The networks to join, each with what was asked for there: the mode's own first, and alone when none are named.
 * @throws NotFound for a network that is gone, InvalidArgument for those that cannot be joined together
 */
export function wantedNetworks(networks: NetworkStore, { networkMode, endpoints }: SandboxRequest): WantedNetwork[] {
  const plain = (name: string) => (name === "default" || name === "" ? "bridge" : name);
  const asked = Object.entries(endpoints).length > 0 ? Object.entries(endpoints) : [[networkMode, {}] as const];
  const named = asked.flatMap(([name, settings]) => {
    const network = find(networks, plain(name));
    return network ? [{ network, settings }] : [];
  });
  let mode: NetworkRecord | undefined;
  try {
    mode = find(networks, plain(networkMode));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new NotFound(`could not find a network matching network mode ${networkMode}: ${error.message}`, {
      cause: error,
    });
  }
  refuseMixture(
    networkMode,
    named.map(({ network }) => network),
  );
  const rank = ({ id, name }: NetworkRecord) => (id === mode?.id ? "" : name);
  const sorted = named.sort((a, b) => (rank(a.network) < rank(b.network) ? -1 : 1));
  // One network may have been named twice, by its name and its id.
  return [...new Map(sorted.map((wish) => [wish.network.id, wish])).values()];
}
