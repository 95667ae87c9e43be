import { InvalidArgument } from "@longshore/errdefs";
import { deviceAddresses, deviceExists } from "./bridge.ts";
import { label } from "./bridge-options.ts";
import { mustPrefix } from "./ipam/defaults.ts";
import { formatAddress, formatPrefix, masked, parsePrefix } from "./ipam/prefix.ts";
import { subnetOf } from "./ipam/subnet.ts";
import type { NetworkStore } from "./networks.ts";
import { newId, now } from "./new-id.ts";
import type { NetworkRecord, Records } from "./records.ts";

/** The device of the default bridge unless `--bridge` names another; Docker's is docker0. */
export const defaultBridgeDevice = "longshore0";

/** dockerd's options for the default bridge, by their names. */
export interface DefaultBridgeOptions {
  /** `172.20.0.1/16`: the bridge's own address and subnet; empty: a free one. */
  bip: string;
  /** An existing device, whose addresses are taken; `none`: no default bridge at all. */
  bridge: string;
  /** Containers get addresses out of this part of the subnet only. */
  fixedCidr: string;
  /** 0: the kernel's default. */
  mtu: number;
  icc: boolean;
  /** Where ports are published without an address of their own. */
  ip: string;
  ipMasq: boolean;
}

function blank(name: string, driver: string): NetworkRecord {
  return {
    id: newId(),
    name,
    created: now(),
    driver,
    scope: "local",
    enableIPv4: true,
    enableIPv6: false,
    ipam: { Driver: "default", Options: null, Config: null },
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    configFrom: "",
    options: {},
    labels: {},
    subnets: [],
    userSubnets: [],
    bridge: "",
    ownsBridge: false,
    ownAddresses: [],
  };
}

/** The bridge's address: asked for, or what the device has already, or what it had before, or a free one. */
async function bridgeAddress(networks: NetworkStore, options: DefaultBridgeOptions, device: string, before: NetworkRecord | undefined): Promise<string> {
  if (options.bip !== "") {
    if (parsePrefix(options.bip)?.family !== 4) throw new InvalidArgument(`invalid CIDR address: ${options.bip}`);
    return options.bip;
  }
  const present = deviceExists(device) ? (await deviceAddresses(device)).find((address) => !address.includes(":")) : undefined;
  if (present !== undefined) return present;
  const [last] = before?.subnets ?? [];
  const taken = await networks.subnets.taken(4, device);
  if (last && networks.subnets.has(mustPrefix(last.subnet)) && !taken.some((prefix) => formatPrefix(prefix) === last.subnet)) return `${last.gateway}/${mustPrefix(last.subnet).bits}`;
  const free = await networks.subnets.free(device);
  return `${formatAddress({ ...free, value: free.value + 1n })}/${free.bits}`;
}

async function defaultBridge(networks: NetworkStore, options: DefaultBridgeOptions, before: NetworkRecord | undefined): Promise<NetworkRecord> {
  const named = options.bridge !== "";
  const device = named ? options.bridge : defaultBridgeDevice;
  if (named && options.bip !== "") throw new InvalidArgument("You specified -b & --bip, mutually exclusive options. Please specify only one");
  const ownsBridge = named && before?.bridge !== device ? !deviceExists(device) : (before?.ownsBridge ?? true);
  const address = mustPrefix(await bridgeAddress(networks, options, device, before));
  const subnet = formatPrefix(masked(address));
  const gateway = formatAddress(address);
  if (options.fixedCidr !== "" && parsePrefix(options.fixedCidr)?.family !== 4) throw new InvalidArgument(`invalid CIDR address: ${options.fixedCidr}`);
  const config = { Subnet: subnet, ...(options.fixedCidr === "" ? {} : { IPRange: options.fixedCidr }), Gateway: gateway };
  return {
    ...(before ?? blank("bridge", "bridge")),
    ipam: { Driver: "default", Options: null, Config: [config] },
    options: {
      [label.defaultBridge]: "true",
      [label.icc]: String(options.icc),
      [label.masquerade]: String(options.ipMasq),
      [label.hostBinding]: options.ip === "" ? "0.0.0.0" : options.ip,
      [label.name]: device,
      [label.mtu]: String(options.mtu === 0 ? 1500 : options.mtu),
    },
    subnets: [subnetOf(config)],
    userSubnets: named || options.bip !== "" ? [subnet] : [],
    bridge: device,
    ownsBridge,
  };
}

/**
 * Sees to it that `none`, `host` and `bridge` are there and as configured, and that the devices of
 * all networks are, which a reboot takes away.
 * @throws InvalidArgument for a configuration that cannot be
 */
export async function ensureNetworks(records: Records, networks: NetworkStore, options: DefaultBridgeOptions): Promise<void> {
  const byName = (name: string) => [...records.networks.values()].find((record) => record.name === name);
  for (const [name, driver] of [["none", "null"], ["host", "host"]] as const) {
    if (!byName(name)) await networks.put(blank(name, driver));
  }
  const before = byName("bridge");
  if (options.bridge !== "none") await networks.put(await defaultBridge(networks, options, before));
  else if (before) records.dropNetwork(before.id);
  for (const record of records.networks.values()) {
    if ((record.bridge !== "" || record.parent) && record.name !== "bridge") await networks.restoreDevice(record);
  }
}
