import { linkIndex } from "./link.ts";
import { NetlinkRefused, Rtnetlink } from "./rtnetlink.ts";

// Devices are asked for over netlink, never looked for in /sys: what is mounted there may show another namespace's.

const ENODEV = 19;
/** The kernel's limit, without the ending zero byte: no device has a longer name, and none has no name. */
const longestName = 15;

/** The index of a device of the host; undefined when there is none of that name. */
export async function deviceIndex(name: string): Promise<number | undefined> {
  if (name === "" || Buffer.byteLength(name) > longestName) return undefined;
  using netlink = new Rtnetlink();
  try {
    return await linkIndex(netlink, name);
  } catch (error) {
    if (error instanceof NetlinkRefused && error.errno === ENODEV) return undefined;
    throw error;
  }
}

export async function deviceExists(name: string): Promise<boolean> {
  return (await deviceIndex(name)) !== undefined;
}
