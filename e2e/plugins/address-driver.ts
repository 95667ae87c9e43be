import type { Method } from "./plugin.ts";

/** An IPAM driver that counts: pools 10.99.N.0/24 and fd00:99:N::/64, or the one that is asked for, addresses from 10 on. */
export class AddressDriver {
  readonly #base: number;
  readonly #pools = new Map<string, { pool: string; next: number }>();
  /** What has been given and not been given back: pools, and `pool address`. */
  readonly held = new Set<string>();
  #count = 0;

  /** @param base second number of the addresses, so that drivers do not meet */
  constructor(base: number) {
    this.#base = base;
  }

  readonly methods: Record<string, Method> = {
    "IpamDriver.GetCapabilities": () => ({}),
    "IpamDriver.GetDefaultAddressSpaces": () => ({
      LocalDefaultAddressSpace: "here",
      GlobalDefaultAddressSpace: "everywhere",
    }),
    "IpamDriver.RequestPool": ({ Pool, V6 }) => {
      const id = `pool${++this.#count}`;
      const pool = Pool
        ? String(Pool)
        : V6
          ? `fd00:${this.#base}:${this.#count}::/64`
          : `10.${this.#base}.${this.#count}.0/24`;
      this.#pools.set(id, { pool, next: 10 });
      this.held.add(id);
      return { PoolID: id, Pool: pool };
    },
    "IpamDriver.ReleasePool": ({ PoolID }) => {
      this.held.delete(String(PoolID));
      return {};
    },
    "IpamDriver.RequestAddress": ({ PoolID, Address, Options }) => {
      const found = this.#pools.get(String(PoolID));
      if (found === undefined) return { Error: "no such pool" };
      const [network = "", bits = ""] = found.pool.split("/");
      const gateway =
        (Options as Record<string, string> | null)?.["RequestAddressType"] === "com.docker.network.gateway";
      const number = gateway ? 1 : found.next++;
      const address = Address
        ? String(Address)
        : network.includes(":")
          ? `${network}${number}`
          : network.replace(/0$/, String(number));
      this.held.add(`${String(PoolID)} ${address}`);
      return { Address: `${address}/${bits}` };
    },
    "IpamDriver.ReleaseAddress": ({ PoolID, Address }) => {
      this.held.delete(`${String(PoolID)} ${String(Address)}`);
      return {};
    },
  };
}
