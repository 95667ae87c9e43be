import type { Family } from "../ipam/prefix.ts";

/** A container in a network, as DNS knows it. */
interface DnsMember {
  containerId: string;
  /** The first one answers reverse queries. */
  names: string[];
  addresses: string[];
  /** What this member alone calls others: alias to name. */
  links?: Record<string, string>;
}

/** The names of one user-defined network. */
export interface DnsNetwork {
  id: string;
  name: string;
  /** Nothing outside can be asked from here. */
  internal: boolean;
  members: DnsMember[];
}

const familyOf = (address: string): Family => (address.includes(":") ? 6 : 4);

/** The name of an address in the reverse tree; IPv6 addresses must be written out by the caller's parser. */
export function reverseName(address: string): string | undefined {
  if (familyOf(address) === 4) return `${address.split(".").toReversed().join(".")}.in-addr.arpa`;
  const halves = address.split("::");
  const [head = [], tail = []] = halves.map((half) => half.split(":").filter((group) => group !== ""));
  const groups = halves.length > 1 ? [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail] : head;
  if (groups.length !== 8) return undefined;
  const digits = groups.map((group) => group.padStart(4, "0")).join("");
  return `${[...digits].toReversed().join(".")}.ip6.arpa`;
}

/** Whom a container means by an alias of its own. */
function linked({ members }: DnsNetwork, containerId: string, alias: string): string | undefined {
  const links = members.find((member) => member.containerId === containerId)?.links ?? {};
  return Object.entries(links).find(([own]) => own.toLowerCase() === alias)?.[1].toLowerCase();
}

/** All user-defined networks, as far as containers with the embedded DNS are in them. */
export class Zones {
  readonly #networks = new Map<string, DnsNetwork>();

  put(network: DnsNetwork): void {
    if (network.members.length === 0) this.#networks.delete(network.id);
    else this.#networks.set(network.id, network);
  }

  #seenBy(containerId: string): DnsNetwork[] {
    return [...this.#networks.values()].filter(({ members }) => members.some((member) => member.containerId === containerId));
  }

  /** Whether a container may ask beyond its networks. */
  mayForward(containerId: string): boolean {
    return this.#seenBy(containerId).some(({ internal }) => !internal);
  }

  /**
   * The addresses of a name in the networks of the asking container; `name.network` works as well.
   * @returns undefined when nobody there has the name, and nothing when only the other family is known
   */
  addresses(containerId: string, name: string, family: Family): string[] | undefined {
    const wanted = name.toLowerCase();
    const found = this.#seenBy(containerId).flatMap((network) => {
      const suffix = `.${network.name.toLowerCase()}`;
      const asked = wanted.endsWith(suffix) ? wanted.slice(0, -suffix.length) : wanted;
      const bare = linked(network, containerId, asked) ?? asked;
      return network.members.filter(({ names }) => names.some((known) => [wanted, bare].includes(known.toLowerCase())));
    });
    if (found.length === 0) return undefined;
    return found.flatMap(({ addresses }) => addresses).filter((address) => familyOf(address) === family);
  }

  /** The name of the container that has the address of a reverse query. */
  pointer(containerId: string, name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (const network of this.#seenBy(containerId)) {
      const member = network.members.find(({ addresses }) => addresses.some((address) => reverseName(address) === wanted));
      if (member) return `${member.names[0]}.${network.name}`;
    }
    return undefined;
  }
}
