import type { Family } from "@longshore/ip";

/** One block of addresses as network drivers are told of it, by the protocol's names. */
export interface IPAMData {
  AddressSpace: string;
  /** CIDR. */
  Pool: string;
  /** With the pool's length; absent without one. */
  Gateway?: string;
  /** By name, with the pool's length. */
  AuxAddresses?: Record<string, string>;
}

/** An endpoint's addresses (CIDR) and hardware address; empty for none. */
export interface EndpointInterface {
  Address: string;
  AddressIPv6: string;
  MacAddress: string;
}

interface StaticRoute {
  /** CIDR. */
  Destination: string;
  /** 0: by the next hop, 1: through the link alone. */
  RouteType: number;
  NextHop: string;
}

export interface JoinAnswer {
  InterfaceName?: { SrcName?: string; DstPrefix?: string } | null;
  Gateway?: string;
  GatewayIPv6?: string;
  StaticRoutes?: Partial<StaticRoute>[] | null;
  DisableGatewayService?: boolean;
}

/** A driver of networks beside those of the engine. Errors carry its own words. */
export interface NetworkDriver {
  readonly name: string;
  /** Where its networks are the same ones. */
  readonly scope: "local" | "global";
  /** Which families need no address for a gateway. */
  skipsGateway(options: object): Promise<Record<Family, boolean>>;
  createNetwork(request: {
    NetworkID: string;
    Options: object;
    IPv4Data: IPAMData[];
    IPv6Data: IPAMData[];
  }): Promise<void>;
  /** @returns what the driver has chosen itself; fields are empty or absent where it has not */
  createEndpoint(request: {
    NetworkID: string;
    EndpointID: string;
    Interface: EndpointInterface;
    Options: object;
  }): Promise<Partial<EndpointInterface>>;
  join(request: { NetworkID: string; EndpointID: string; SandboxKey: string; Options: object }): Promise<JoinAnswer>;
  /** What the driver knows of an endpoint at work. */
  endpointInfo(networkId: string, endpointId: string): Promise<void>;
  /** The endpoint has the container's default route from now on. Drivers need not have this method. */
  programExternal(request: { NetworkID: string; EndpointID: string; Options: object }): Promise<void>;
}

/** A driver of addresses beside that of the engine. */
export interface IpamDriver {
  readonly name: string;
  /** Whether it is told for which hardware address it gives an address. */
  readonly needsMac: boolean;
  /** Whether it forgets with its end what it has given, and has to be asked again for the same. */
  readonly replays: boolean;
  addressSpace(scope: string): Promise<string>;
  /** @returns the pool's id and CIDR, and a gateway (CIDR) if the driver has chosen one */
  requestPool(request: {
    AddressSpace: string;
    Pool: string;
    SubPool: string;
    Options: Record<string, string>;
    V6: boolean;
  }): Promise<{ id: string; pool: string; gateway: string | undefined }>;
  /** @param address empty for any; @returns CIDR */
  requestAddress(poolId: string, address: string, options: Record<string, string> | null): Promise<string>;
}

/** Finds drivers beside the engine's own. */
export interface NetworkPlugins {
  /** @param wait whether one that nobody has announced yet is waited for; @throws NotFound `plugin "x" not found`, `could not resolve driver x in registry` */
  driver(name: string, wait?: boolean): Promise<NetworkDriver>;
  /** @throws NotFound `plugin "x" not found` */
  ipam(name: string, wait?: boolean): Promise<IpamDriver>;
  /**
   * Gives something back, such as `NetworkDriver.DeleteNetwork`.
   * @param patient whether to wait a while for a plugin that is away, as other calls do
   * @throws Unavailable, DeadlineExceeded when it does not answer, NotFound when there is none, Unknown when it refuses
   */
  giveBack(plugin: string, method: string, body: object, patient: boolean): Promise<void>;
}
