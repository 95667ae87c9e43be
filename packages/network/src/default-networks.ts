import { defaultBridge, type DefaultBridgeOptions } from "./default-bridge.ts";
import type { NetworkStore } from "./networks.ts";
import { newId, now } from "./new-id.ts";
import type { NetworkRecord, Records } from "./records.ts";

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
  if (options.bridge !== "none") await networks.put(await defaultBridge(networks, options, before ?? blank("bridge", "bridge")));
  else if (before) records.dropNetwork(before.id);
  for (const record of records.networks.values()) {
    if ((record.bridge !== "" || record.parent) && record.name !== "bridge") await networks.restoreDevice(record);
  }
}
