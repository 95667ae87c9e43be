import type { EndpointSettings, IPAM, PortMap } from "@longshore/docker-api";
import type { PublishedPort } from "@longshore/proxy-api";
import type { DnsOverrides } from "../files/resolv-conf.ts";
import type { SubnetRecord } from "../ipam/subnet.ts";

/** A device of the host under links of containers. */
export interface ParentRecord {
  device: string;
  /** Whether it was made for a network and goes with the last one that uses it. */
  ours: boolean;
}

/** A network as it is kept. Subnets are CIDR text, addresses plain text. */
export interface NetworkRecord {
  id: string;
  name: string;
  created: string;
  driver: string;
  scope: string;
  enableIPv4: boolean;
  enableIPv6: boolean;
  /** As inspect shows it. */
  ipam: IPAM;
  internal: boolean;
  attachable: boolean;
  ingress: boolean;
  configOnly: boolean;
  configFrom: string;
  options: Record<string, string>;
  labels: Record<string, string>;
  /** What an IPAM plugin gives addresses from; absent where the engine does so itself. */
  pools?: PoolRecord[];
  /** What addresses come from; empty for host, none and configuration networks. */
  subnets: SubnetRecord[];
  /** The blocks that were asked for, not chosen. */
  userSubnets: string[];
  /** The device that a macvlan or ipvlan network lies on; other drivers have none. */
  parent?: ParentRecord;
  /** The bridge device; empty when the driver has none. */
  bridge: string;
  /** Whether the device goes with the network: false for one that the administrator made. */
  ownsBridge: boolean;
  /** Addresses (CIDR) that a bridge of the administrator did not have before. */
  ownAddresses: string[];
}

/** What a plugin has to be told once its owner, a network or an endpoint, is gone. */
export interface PluginRelease {
  id: number;
  owner: string;
  plugin: string;
  /** Such as `IpamDriver.ReleasePool`. */
  method: string;
  body: object;
}

/** Addresses of a network that an IPAM plugin keeps. */
export interface PoolRecord {
  /** The plugin's own. */
  id: string;
  family: 4 | 6;
  addressSpace: string;
  /** CIDR. */
  pool: string;
  /** What was asked for, to ask for the same again. */
  wanted: { pool: string; subPool: string };
  /** CIDR; empty for none. */
  gateway: string;
  /** By name, CIDR. */
  auxiliary: Record<string, string>;
}

/** What the driver of a plugin's network has said of an endpoint. */
export interface RemoteJoin {
  /** What the link is called on the host; empty without one. */
  source: string;
  /** Addresses; empty for none. */
  gateways: { 4: string; 6: string };
  /** By a next hop, or through the link alone when that is empty. */
  routes: { destination: string; nextHop: string }[];
  /** The container is to have no way out of ours either. */
  noGateway: boolean;
}

/** A container's place in a network, while it runs. */
export interface EndpointRecord {
  id: string;
  networkId: string;
  containerId: string;
  /** Name in the container (`eth0`); empty without a link. */
  ifname: string;
  /** Name of the host's side of the pair; empty without one (macvlan, ipvlan). */
  veth: string;
  mac: string;
  ipv4: string;
  ipv6: string;
  /** What was asked for. */
  settings: Partial<EndpointSettings>;
  /** Lengths of the addresses' subnets where a plugin has chosen them. */
  bits?: { 4: number; 6: number };
  /** In networks of plugins, once they have been joined. */
  remote?: RemoteJoin;
  /** Nobody asked for it: it is the way out for a container whose networks have none. */
  service?: true;
}

/** A container's network namespace and all that was asked of it. */
export interface SandboxRecord {
  id: string;
  containerId: string;
  containerName: string;
  /** `host` has no namespace of its own. */
  mode: "private" | "host";
  netnsPath: string;
  hostname: string;
  domainname: string;
  containerDir: string;
  portRequest: { bindings: PortMap; exposed: string[]; publishAll: boolean };
  /** All that is published of it; `NetworkSettings.Ports` is made of this. */
  published: PublishedPort[];
  /** What the embedded DNS asks; null for a container without it. */
  dns: { servers: string[]; onHost: boolean; ndotsSet?: boolean } | null;
  /** What resolv.conf was made from, and its digest as it was written: one that was edited stays as it is. */
  resolver?: DnsOverrides & { written: string };
  /** Its sysctls have switched IPv6 off. */
  noIPv6?: true;
  /** Containers that it is linked to, and their exposed ports. */
  links?: { containerId: string; ports: string[] }[];
}
