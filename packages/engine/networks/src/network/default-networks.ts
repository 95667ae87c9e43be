import { defaultBridge, type DefaultBridgeOptions } from "../bridge/default-bridge.ts";
import { bridgeAddresses, removeAddresses, removeDevice } from "./network-device.ts";
import type { NetworkStore } from "./networks.ts";
import { newId, now } from "../records/new-id.ts";
import type { NetworkRecord, Records } from "../records/records.ts";

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

/** What containers on the default bridge rely on, and rules are made of. */
function shapeOf({ bridge, enableIPv6, subnets, options }: NetworkRecord): string {
  return JSON.stringify([bridge, enableIPv6, subnets, options]);
}

/** Takes off the host what the default bridge was before and is not any more. */
async function clearAway(before: NetworkRecord, wanted: NetworkRecord | undefined): Promise<void> {
  if (before.bridge === "") return;
  if (before.bridge !== wanted?.bridge) return removeDevice(before);
  const kept = bridgeAddresses(wanted);
  await removeAddresses(
    before.bridge,
    (before.ownsBridge ? bridgeAddresses(before) : before.ownAddresses).filter((address) => !kept.includes(address)),
  );
}

/**
 * Makes the network `bridge` what it is configured to be. While containers are on it, it stays as it is.
 * @returns whether it is
 */
export async function ensureDefaultBridge(
  records: Records,
  networks: NetworkStore,
  options: DefaultBridgeOptions,
): Promise<boolean> {
  const before = [...records.networks.values()].find(({ name }) => name === "bridge");
  const wanted =
    options.bridge === "none" ? undefined : await defaultBridge(networks, options, before ?? blank("bridge", "bridge"));
  if (before && records.endpointsIn(before.id).length > 0 && (!wanted || shapeOf(before) !== shapeOf(wanted))) {
    await networks.restoreDevice(before);
    return false;
  }
  if (before) await clearAway(before, wanted);
  if (wanted) await networks.put(wanted);
  else if (before) records.dropNetwork(before.id);
  return true;
}

/**
 * Sees to it that `none` and `host` are there, and the devices of all networks but the default bridge, which a reboot takes away.
 */
export async function ensureNetworks(records: Records, networks: NetworkStore): Promise<void> {
  const names = new Set([...records.networks.values()].map(({ name }) => name));
  for (const [name, driver] of [
    ["none", "null"],
    ["host", "host"],
  ] as const)
    if (!names.has(name)) await networks.put(blank(name, driver));
  for (const record of records.networks.values()) {
    if ((record.bridge !== "" || record.parent) && record.name !== "bridge") await networks.restoreDevice(record);
  }
}
