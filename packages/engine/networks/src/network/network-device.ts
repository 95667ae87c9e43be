import { PermissionDenied, Unknown } from "@longshore/errdefs";
import { removeLink } from "../bridge/bridge.ts";
import { parseBridgeOptions } from "../bridge/bridge-options.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import { formatAddress } from "@longshore/ip";
import { deleteAddress, deviceExists, linkIndex, Rtnetlink } from "@longshore/netlink";
import type { NetworkRecord } from "../records/records.ts";
import { removeParent } from "../parent/parent-device.ts";

/** The addresses that the host has on a network's bridge, with the subnets' lengths. */
export function bridgeAddresses(record: NetworkRecord): string[] {
  const { gatewayMode, inhibitIPv4 } = parseBridgeOptions(record);
  return record.subnets
    .filter(
      ({ subnet, gateway }) =>
        gateway !== "" &&
        gatewayMode[mustPrefix(subnet).family] !== "isolated" &&
        !(inhibitIPv4 && mustPrefix(subnet).family === 4),
    )
    .map(({ subnet, gateway }) => `${gateway}/${mustPrefix(subnet).bits}`);
}

/** Takes a network off the host: its bridge or parent device, or from an administrator's bridge the addresses that it brought. */
export async function removeDevice({ bridge, ownsBridge, ownAddresses, parent }: NetworkRecord): Promise<void> {
  if (parent) return removeParent(parent);
  if (!(await deviceExists(bridge))) return;
  if (ownsBridge) return removeLink(bridge);
  await removeAddresses(bridge, ownAddresses);
}

/** Takes addresses (CIDR) off a device that is there; those that it has not are no error. */
export async function removeAddresses(device: string, addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0 || !(await deviceExists(device))) return;
  using netlink = new Rtnetlink();
  const index = await linkIndex(netlink, device);
  const steps = addresses.map((text) => {
    const { bits, ...address } = mustPrefix(text);
    return deleteAddress(index, formatAddress(address), bits);
  });
  await netlink.request(steps);
}

/** What a network's bridge is called. @throws PermissionDenied when another network has it, Unknown for a name that no device can have */
export function bridgeName(record: NetworkRecord, others: Iterable<NetworkRecord>): string {
  const { name: bridge } = parseBridgeOptions(record);
  const same = [...others].find((other) => other.bridge === bridge);
  if (same) {
    throw new PermissionDenied(
      `cannot create network ${record.id} (${bridge}): conflicts with network ${same.id} (${same.bridge}): networks have same bridge name`,
    );
  }
  if (bridge.length > 15) throw new Unknown("numerical result out of range");
  if (/[\s/:"]/.test(bridge)) throw new Unknown("invalid argument");
  return bridge;
}
