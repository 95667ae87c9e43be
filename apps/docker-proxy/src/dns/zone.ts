import { type Family, familyOf } from "@longshore/ip";
import type { DnsMember, DnsNetwork } from "@longshore/proxy-api";

/** The name of an address in the reverse tree; IPv6 addresses must be written out by the caller's parser. */
export function reverseName(address: string): string | undefined {
  if (familyOf(address) === 4) return `${address.split(".").toReversed().join(".")}.in-addr.arpa`;
  const halves = address.split("::");
  const [head = [], tail = []] = halves.map((half) => half.split(":").filter((group) => group !== ""));
  const groups =
    halves.length > 1 ? [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail] : head;
  if (groups.length !== 8) return undefined;
  const digits = groups.map((group) => group.padStart(4, "0")).join("");
  return `${[...digits].toReversed().join(".")}.ip6.arpa`;
}

/** One network, indexed: a name is looked up hundreds of times for each change. */
class Zone {
  readonly network: DnsNetwork;
  readonly members = new Map<string, DnsMember>();
  readonly #names = new Map<string, DnsMember[]>();
  readonly #reverse = new Map<string, DnsMember>();

  constructor(network: DnsNetwork) {
    this.network = network;
    for (const member of network.members) {
      this.members.set(member.containerId, member);
      for (const name of new Set(member.names.map((each) => each.toLowerCase()))) {
        const known = this.#names.get(name);
        if (known) known.push(member);
        else this.#names.set(name, [member]);
      }
      if (member.names.length === 0) continue;
      for (const address of member.addresses) {
        const reverse = reverseName(address);
        if (reverse !== undefined) this.#reverse.set(reverse, member);
      }
    }
  }

  /** Whom a container means by an alias of its own. */
  linked(containerId: string, alias: string): string | undefined {
    const links = this.members.get(containerId)?.links ?? {};
    return Object.entries(links)
      .find(([own]) => own.toLowerCase() === alias)?.[1]
      .toLowerCase();
  }

  /** @returns undefined when nobody has the name */
  addresses(name: string, family: Family): string[] | undefined {
    return this.#names
      .get(name)
      ?.flatMap(({ addresses }) => addresses)
      .filter((address) => familyOf(address) === family);
  }

  pointer(reverse: string): string | undefined {
    const member = this.#reverse.get(reverse);
    return member && `${member.names[0]}.${this.network.name}`;
  }
}

/** The ways to read a name: as it is, or as a name in a network; both may have dots. */
function readings(name: string): { bare: string; network: string | undefined }[] {
  const dots = [...name].flatMap((letter, index) => (letter === "." ? [index] : [])).toReversed();
  return [
    { bare: name, network: undefined },
    ...dots.map((dot) => ({ bare: name.slice(0, dot), network: name.slice(dot + 1) })),
  ];
}

/** All networks that matter to containers with the embedded DNS. */
export class Zones {
  readonly #zones = new Map<string, Zone>();

  put(network: DnsNetwork): void {
    if (network.members.length === 0) this.#zones.delete(network.id);
    else this.#zones.set(network.id, new Zone(network));
  }

  /** The networks of a container, the first one to be asked first: as with the default route. */
  #seenBy(containerId: string): Zone[] {
    const seen = [...this.#zones.values()].filter(({ members }) => members.has(containerId));
    if (seen.length < 2) return seen;
    const priority = ({ members }: Zone) => members.get(containerId)?.priority ?? 0;
    return seen.sort(
      (a, b) =>
        priority(b) - priority(a) ||
        Number(a.network.internal) - Number(b.network.internal) ||
        (a.network.name < b.network.name ? -1 : 1),
    );
  }

  /** Whether a container may ask beyond its networks. */
  mayForward(containerId: string): boolean {
    return this.#seenBy(containerId).some(({ network }) => !network.internal);
  }

  /**
   * The addresses of a name in the first network of the asking container that has it; `name.network` works as well.
   * @returns undefined when nobody there has the name, and nothing when only the other family is known
   */
  addresses(containerId: string, name: string, family: Family): string[] | undefined {
    const zones = this.#seenBy(containerId);
    for (const { bare, network } of readings(name.toLowerCase())) {
      const candidates =
        network === undefined ? zones : zones.filter((zone) => zone.network.name.toLowerCase() === network);
      // Aliases of the asking container come before names; where it has the alias, the name is not looked for.
      const linked = candidates.flatMap((zone) => {
        const target = zone.linked(containerId, bare);
        return target === undefined ? [] : [zone.addresses(target, family)];
      });
      const named = candidates.map((zone) =>
        zone.linked(containerId, bare) === undefined ? zone.addresses(bare, family) : undefined,
      );
      for (const found of [linked, named]) {
        const known = found.filter((addresses) => addresses !== undefined);
        if (known.length > 0) return known.find((addresses) => addresses.length > 0) ?? [];
      }
    }
    return undefined;
  }

  /** The name of the container that has the address of a reverse query. */
  pointer(containerId: string, name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (const zone of this.#seenBy(containerId)) {
      const found = zone.pointer(wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
