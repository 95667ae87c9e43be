import { closeSync, openSync } from "node:fs";
import { messageOf, Unknown } from "@longshore/errdefs";
import { applySysctls } from "../endpoint/endpoint-sysctls.ts";
import { switchLink } from "../endpoint/ipv6-switch.ts";
import {
  addAddress,
  addRoute,
  linkIndex,
  moveLink,
  NetlinkRefused,
  Rtnetlink,
  setMac,
  setUp,
  type Step,
} from "@longshore/netlink";
import type { EndpointRecord } from "../records/records.ts";

const ENODEV = 19;

/** Takes a link to another namespace. @throws NetlinkRefused */
async function move(from: Rtnetlink, link: string, netnsPath: string, name: string): Promise<void> {
  const netns = openSync(netnsPath, "r");
  try {
    await from.request([moveLink(await linkIndex(from, link), netns, name)]);
  } finally {
    closeSync(netns);
  }
}

/**
 * Takes the link that a network driver has made into a container's namespace, and gives it what the endpoint has.
 * @throws Unknown with Docker's messages when there is no such link, or for a route that cannot be
 */
export async function takeIn(endpoint: EndpointRecord, netnsPath: string): Promise<void> {
  const { remote, ifname, ipv4, ipv6, bits, mac } = endpoint;
  const source = remote?.source ?? "";
  const failed = `failed to add interface ${source} to sandbox: `;
  using host = new Rtnetlink();
  try {
    await move(host, source, netnsPath, ifname);
  } catch (error) {
    const missing = error instanceof NetlinkRefused && error.errno === ENODEV;
    throw new Unknown(
      `${failed}${missing ? `failed to get link by name ${JSON.stringify(source)}: Link not found` : messageOf(error)}`,
      { cause: error },
    );
  }
  using inside = new Rtnetlink(netnsPath);
  const index = await linkIndex(inside, ifname);
  switchLink(netnsPath, ifname, ipv6 !== "");
  applySysctls(endpoint, netnsPath);
  const steps: Step[] = [];
  if (mac !== "") steps.push(setMac(index, mac));
  if (ipv4 !== "") steps.push(addAddress(index, ipv4, bits?.[4] ?? 0));
  if (ipv6 !== "") steps.push(addAddress(index, ipv6, bits?.[6] ?? 0));
  try {
    await inside.request([...steps, setUp(index)]);
  } catch (error) {
    throw new Unknown(`${failed}${messageOf(error)}`, { cause: error });
  }
  for (const { destination, nextHop } of remote?.routes ?? []) {
    try {
      await inside.request([addRoute(index, destination, nextHop)]);
    } catch (error) {
      const reason = error instanceof NetlinkRefused ? error.words : messageOf(error);
      throw new Unknown(
        `failed to add static route ${destination}: ${nextHop === "" ? reason : `route for the next hop ${nextHop} could not be found: ${reason}`}`,
        { cause: error },
      );
    }
  }
}

/** Gives a link back to the host under its own name: the driver is to find it where it left it. One that is gone is no error. */
export async function handBack({ remote, ifname }: EndpointRecord, netnsPath: string): Promise<void> {
  if (!remote || remote.source === "" || ifname === "") return;
  try {
    using inside = new Rtnetlink(netnsPath);
    await move(inside, ifname, "/proc/self/ns/net", remote.source);
  } catch (error) {
    const gone =
      (error as NodeJS.ErrnoException).code === "ENOENT" || (error instanceof NetlinkRefused && error.errno === ENODEV);
    if (!gone) throw error;
  }
}
