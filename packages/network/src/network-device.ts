import { deviceAddresses, deviceExists, removeLink } from "./bridge.ts";
import { parseBridgeOptions } from "./bridge-options.ts";
import { mustPrefix } from "./ipam/defaults.ts";
import type { NetworkRecord } from "./records.ts";
import { ipBatch } from "./run.ts";

/** The addresses that the host has on a network's bridge, with the subnets' lengths. */
export function bridgeAddresses(record: NetworkRecord): string[] {
  const { gatewayMode } = parseBridgeOptions(record);
  return record.subnets
    .filter(({ subnet }) => gatewayMode[mustPrefix(subnet).family] !== "isolated")
    .map(({ subnet, gateway }) => `${gateway}/${mustPrefix(subnet).bits}`);
}

/** Takes a network off the host: its bridge, or from an administrator's bridge the addresses that it brought. */
export async function removeDevice({ bridge, ownsBridge, ownAddresses }: NetworkRecord): Promise<void> {
  if (bridge === "" || !deviceExists(bridge)) return;
  if (ownsBridge) return removeLink(bridge);
  const present = await deviceAddresses(bridge);
  const gone = ownAddresses.filter((address) => present.includes(address));
  if (gone.length > 0) await ipBatch(gone.map((address) => `addr del ${address} dev ${bridge}`));
}
