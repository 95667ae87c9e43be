import { execFileSync } from "node:child_process";
import type { Method } from "./plugin.ts";

interface IPAMData {
  Pool?: string;
  Gateway?: string;
}

interface NetworkCall {
  NetworkID: string;
  EndpointID: string;
  IPv4Data?: IPAMData[] | null;
  IPv6Data?: IPAMData[] | null;
  Interface?: { Address: string; AddressIPv6: string; MacAddress: string };
}

function ip(...words: string[]): string {
  return execFileSync("ip", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function has(device: string): boolean {
  try {
    return ip("-o", "link", "show", "dev", device) !== "";
  } catch {
    return false;
  }
}

/** A network driver that carries packets: a bridge of its own for each network, and a pair of links for each endpoint. */
export class BridgeDriver {
  readonly #gateways = new Map<string, { v4: string; v6: string }>();
  readonly #made = new Set<string>();
  readonly methods: Record<string, Method> = {
    "NetworkDriver.GetCapabilities": () => ({ Scope: "local", ConnectivityScope: "local" }),
    "NetworkDriver.CreateNetwork": (body) => this.#createNetwork(body as unknown as NetworkCall),
    "NetworkDriver.DeleteNetwork": (body) => this.#deleteNetwork(String(body["NetworkID"])),
    "NetworkDriver.CreateEndpoint": (body) => this.#createEndpoint(body as unknown as NetworkCall),
    "NetworkDriver.EndpointOperInfo": () => ({ Value: {} }),
    "NetworkDriver.DeleteEndpoint": (body) => this.#deleteEndpoint(String(body["EndpointID"])),
    "NetworkDriver.Join": (body) => this.#join(body as unknown as NetworkCall),
    "NetworkDriver.Leave": () => ({}),
    "NetworkDriver.ProgramExternalConnectivity": () => ({}),
    "NetworkDriver.RevokeExternalConnectivity": () => ({}),
  };

  bridge(networkId: string): string {
    return `pbr-${networkId.slice(0, 8)}`;
  }

  #createNetwork({ NetworkID, IPv4Data, IPv6Data }: NetworkCall): object {
    const bridge = this.bridge(NetworkID);
    const gateway = (data: IPAMData[] | null | undefined): string => data?.[0]?.Gateway ?? "";
    const gateways = { v4: gateway(IPv4Data), v6: gateway(IPv6Data) };
    this.#made.add(bridge);
    ip("link", "add", bridge, "type", "bridge");
    this.#gateways.set(NetworkID, gateways);
    for (const address of [gateways.v4, gateways.v6])
      if (address !== "") ip("addr", "add", address, "dev", bridge, ...(address.includes(":") ? ["nodad"] : []));
    ip("link", "set", bridge, "up");
    return {};
  }

  #deleteNetwork(networkId: string): object {
    this.#gateways.delete(networkId);
    if (has(this.bridge(networkId))) ip("link", "del", this.bridge(networkId));
    return {};
  }

  #createEndpoint({ NetworkID, EndpointID, Interface }: NetworkCall): object {
    const [outer, inner] = this.links(EndpointID);
    this.#made.add(outer);
    ip("link", "add", outer, "type", "veth", "peer", "name", inner);
    const wanted = Interface?.MacAddress ?? "";
    if (wanted !== "") ip("link", "set", inner, "address", wanted);
    ip("link", "set", outer, "master", this.bridge(NetworkID), "up");
    const [, mac = ""] = /link\/ether (\S+)/.exec(ip("link", "show", "dev", inner)) ?? [];
    return wanted === "" ? { Interface: { MacAddress: mac } } : { Interface: {} };
  }

  /** Names of an endpoint's links: the one that stays on the host, and the one for the container. */
  links(endpointId: string): [string, string] {
    return [`pvo-${endpointId.slice(0, 8)}`, `pvi-${endpointId.slice(0, 8)}`];
  }

  #deleteEndpoint(endpointId: string): object {
    const [outer] = this.links(endpointId);
    if (has(outer)) ip("link", "del", outer);
    return {};
  }

  #join({ NetworkID, EndpointID }: NetworkCall): object {
    const { v4 = "", v6 = "" } = this.#gateways.get(NetworkID) ?? {};
    const plain = (address: string): string => address.split("/")[0] ?? "";
    return {
      InterfaceName: { SrcName: this.links(EndpointID)[1], DstPrefix: "eth" },
      Gateway: plain(v4),
      GatewayIPv6: plain(v6),
    };
  }

  /** Devices that it has made and that are still there. */
  left(): string[] {
    return [...this.#made].filter(has);
  }

  /** Takes away what networks are left. */
  clear(): void {
    for (const device of this.left()) ip("link", "del", device);
  }
}
