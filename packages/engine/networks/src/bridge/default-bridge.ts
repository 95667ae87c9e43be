import type { IPAMConfig } from "@longshore/docker-api";
import { InvalidArgument, Unknown } from "@longshore/errdefs";
import { deviceAddresses } from "./bridge.ts";
import { label } from "./bridge-options.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import {
  canonicalAddress,
  type Family,
  formatAddress,
  formatPrefix,
  masked,
  parseAddress,
  parsePrefix,
  type Prefix,
} from "@longshore/ip";
import { type SubnetRecord, subnetOf } from "../ipam/subnet.ts";
import { deviceExists } from "@longshore/netlink";
import type { NetworkStore } from "../network/networks.ts";
import type { NetworkRecord } from "../records/records.ts";
import { subnetsOf } from "./subnets.ts";

/** The device of the default bridge unless `--bridge` names another; Docker's is docker0. */
export const defaultBridgeDevice = "longshore0";

/** dockerd's options for the default bridge, by their names. */
export interface DefaultBridgeOptions {
  /** `172.20.0.1/16`: the bridge's own address and subnet; empty: a free one. */
  bip: string;
  bip6: string;
  /** An existing device, whose addresses are taken; `none`: no default bridge at all. */
  bridge: string;
  /** Containers get addresses out of this part of the subnet only. */
  fixedCidr: string;
  fixedCidrV6: string;
  /** Where containers' default routes lead; empty: to the bridge. */
  defaultGateway: string;
  defaultGatewayV6: string;
  /** Whether it has IPv6. */
  ipv6: boolean;
  /** 0: the kernel's default. */
  mtu: number;
  icc: boolean;
  /** Where ports are published without an address of their own. */
  ip: string;
  ipMasq: boolean;
}

/** What the options say of one family. */
interface Wish {
  family: Family;
  bip: string;
  fixed: string;
  gateway: string;
}

/** A subnet of the bridge: for inspect, to give addresses out of, and whether it was asked for. */
interface Part {
  config: IPAMConfig;
  subnet: SubnetRecord;
  asked: boolean;
}

function checked(text: string, family: Family): string {
  if (text !== "" && parsePrefix(text)?.family !== family) throw new InvalidArgument(`invalid CIDR address: ${text}`);
  return text;
}

async function deviceAddress(device: string, family: Family): Promise<string | undefined> {
  if (!(await deviceExists(device))) return undefined;
  return (await deviceAddresses(device)).find((address) => mustPrefix(address).family === family);
}

/** The subnet that the engine has chosen before, if it may have it still. IPv6 blocks are out of a pool that is another at each start. */
function earlier(
  networks: NetworkStore,
  family: Family,
  before: NetworkRecord | undefined,
  taken: readonly Prefix[],
): string | undefined {
  const [last] = before ? subnetsOf(before, family) : [];
  if (
    !last ||
    before?.userSubnets.includes(last.subnet) ||
    taken.some((prefix) => formatPrefix(prefix) === last.subnet)
  )
    return undefined;
  if (family === 4 && !networks.subnets.has(mustPrefix(last.subnet))) return undefined;
  return `${last.gateway}/${mustPrefix(last.subnet).bits}`;
}

/** The bridge's address: asked for, or what the device has already, or what it had before, or a free one. */
async function bridgeAddress(
  networks: NetworkStore,
  { bip, family }: Wish,
  device: string,
  before: NetworkRecord | undefined,
): Promise<string> {
  const present = bip === "" ? await deviceAddress(device, family) : bip;
  if (present !== undefined) return present;
  const last = earlier(networks, family, before, await networks.subnets.taken(family, device));
  if (last !== undefined) return last;
  const free = await networks.subnets.free(family, device);
  return `${formatAddress({ ...free, value: free.value + 1n })}/${free.bits}`;
}

async function part(
  networks: NetworkStore,
  wish: Wish,
  device: string,
  named: boolean,
  before: NetworkRecord | undefined,
): Promise<Part> {
  const { family, bip, fixed, gateway } = wish;
  for (const text of [bip, fixed]) checked(text, family);
  if (gateway !== "" && parseAddress(gateway)?.family !== family)
    throw new InvalidArgument(`invalid IP address: ${gateway}`);
  const range = fixed === "" ? {} : { IPRange: formatPrefix(masked(mustPrefix(fixed))) };
  const router = canonicalAddress(gateway);
  const auxiliary = router === "" ? {} : { AuxiliaryAddresses: { [`DefaultGatewayIPv${family}`]: router } };
  // In IPv6 the part that containers get is all there is to be, when nothing else is said.
  if (family === 6 && fixed !== "" && bip === "" && (!named || (await deviceAddress(device, 6)) === undefined)) {
    const config = { Subnet: formatPrefix(masked(mustPrefix(fixed))), ...range, ...auxiliary };
    return { config, subnet: withRouter(subnetOf(config), router), asked: true };
  }
  const address = mustPrefix(await bridgeAddress(networks, wish, device, before));
  const config = { Subnet: formatPrefix(masked(address)), ...range, Gateway: formatAddress(address), ...auxiliary };
  return { config, subnet: withRouter(subnetOf(config), router), asked: named || bip !== "" };
}

function withRouter(subnet: SubnetRecord, router: string): SubnetRecord {
  return router === "" ? subnet : { ...subnet, router };
}

/**
 * The default bridge as it is configured.
 * @param before its record of an earlier run, or a new one
 * @throws InvalidArgument for a configuration that cannot be, Unknown for a device that there is not
 */
export async function defaultBridge(
  networks: NetworkStore,
  options: DefaultBridgeOptions,
  before: NetworkRecord,
): Promise<NetworkRecord> {
  const named = options.bridge !== "";
  const device = named ? options.bridge : defaultBridgeDevice;
  if (named && options.bip !== "")
    throw new InvalidArgument("You specified -b & --bip, mutually exclusive options. Please specify only one");
  if (named && !(await deviceExists(device))) {
    throw new Unknown(
      `Error initializing network controller: error creating default "bridge" network: bridge device with non default name ${device} must be created manually`,
    );
  }
  const four: Wish = { family: 4, bip: options.bip, fixed: options.fixedCidr, gateway: options.defaultGateway };
  const six: Wish = { family: 6, bip: options.bip6, fixed: options.fixedCidrV6, gateway: options.defaultGatewayV6 };
  const parts = [await part(networks, four, device, named, before)];
  if (options.ipv6) parts.push(await part(networks, six, device, named, before));
  return {
    ...before,
    enableIPv6: options.ipv6,
    ipam: { Driver: "default", Options: null, Config: parts.map(({ config }) => config) },
    options: {
      [label.defaultBridge]: "true",
      [label.icc]: String(options.icc),
      [label.masquerade]: String(options.ipMasq),
      [label.hostBinding]: options.ip === "" ? "0.0.0.0" : canonicalAddress(options.ip),
      [label.name]: device,
      [label.mtu]: String(options.mtu === 0 ? 1500 : options.mtu),
    },
    subnets: parts.map(({ subnet }) => subnet),
    userSubnets: parts.filter(({ asked }) => asked).map(({ config }) => config.Subnet ?? ""),
    bridge: device,
    ownsBridge: !named,
    ownAddresses: before.bridge === device ? before.ownAddresses : [],
  };
}
