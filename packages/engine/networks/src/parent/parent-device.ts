import { PermissionDenied, Unknown } from "@longshore/errdefs";
import {
  addDummy,
  addVlan,
  deleteLink,
  deviceExists,
  deviceIndex,
  linkIndex,
  NetlinkRefused,
  Rtnetlink,
  setUp,
} from "@longshore/netlink";
import type { NetworkRecord, ParentRecord } from "../records/records.ts";
import { parseVlanOptions } from "./vlan-options.ts";

const maxVlanId = 4094;

/** Splits `eth0.10`, the name of a VLAN on a device. @throws Unknown with Docker's texts for what is none */
async function vlanOf(name: string): Promise<{ device: string; id: number }> {
  const [device = "", tag, ...rest] = name.split(".");
  if (tag === undefined || rest.length > 0)
    throw new Unknown(`invalid subinterface vlan name ${name}, example formatting is eth0.10`);
  if (!/^[+-]?\d+$/.test(tag))
    throw new Unknown(`unable to parse a valid vlan id from: ${tag} (ex. eth0.10 for vlan 10)`);
  const id = Number(tag);
  if (!(await deviceExists(device))) throw new Unknown(`-o parent interface was not found on the host: ${device}`);
  if (id < 1 || id > maxVlanId) throw new Unknown(`vlan id must be between 1-${maxVlanId}, received: ${id}`);
  return { device, id };
}

/**
 * The device that a macvlan or ipvlan network lies on: the one that it names, a VLAN to be made on
 * one, or without a name a dummy of its own.
 * @throws Unknown, PermissionDenied with Docker's messages for one that cannot be
 */
export async function planParent(record: NetworkRecord, others: Iterable<NetworkRecord>): Promise<ParentRecord> {
  const vlan = parseVlanOptions(record);
  if (!vlan) throw new TypeError(`${record.driver} networks lie on no device`);
  const { driver } = vlan;
  const given = record.options["parent"] ?? "";
  if (given === "") return { device: `${driver === "macvlan" ? "dm" : "di"}-${record.id.slice(0, 12)}`, ours: true };
  if (given === "lo") throw new Unknown(`loopback interface is not a valid ${driver} parent link`);
  for (const other of others) {
    if (other.driver !== "macvlan" || vlan.driver !== "macvlan" || other.parent?.device !== given) continue;
    if (vlan.mode === "passthru")
      throw new PermissionDenied(
        `cannot use mode passthru, macvlan network ${other.id} is already using parent interface ${given}`,
      );
    if (other.options["macvlan_mode"] === "passthru")
      throw new PermissionDenied(
        `macvlan network ${other.id} is already using parent interface ${given} in mode passthru`,
      );
  }
  if (await deviceExists(given)) return { device: given, ours: false };
  await vlanOf(given);
  return { device: given, ours: true };
}

/** Makes the device of a network if it is not there: for the first time, or again after a restart of the host. */
export async function ensureParent({ device }: ParentRecord, named: boolean): Promise<void> {
  if (await deviceExists(device)) return;
  using netlink = new Rtnetlink();
  try {
    if (named) {
      const { device: lower, id } = await vlanOf(device);
      await netlink.request([addVlan(device, await linkIndex(netlink, lower), id)]);
    } else await netlink.request([addDummy(device)]);
  } catch (error) {
    if (!(error instanceof NetlinkRefused)) throw error;
    throw new Unknown(named ? `failed to create ${device} vlan link: ${error.words}` : error.words, { cause: error });
  }
  await netlink.request([setUp(await linkIndex(netlink, device))]);
}

/** Takes the device off the host if it is ours; one that is not there is no error. */
export async function removeParent({ device, ours }: ParentRecord): Promise<void> {
  const index = ours ? await deviceIndex(device) : undefined;
  if (index === undefined) return;
  using netlink = new Rtnetlink();
  await netlink.request([deleteLink(index)]);
}
