import { IFLA, INFO, linkHeader, RTM } from "./link.ts";
import { attribute, message, NLM_F, text, u32 } from "./message.ts";
import type { Step } from "./rtnetlink.ts";

/** @param mac its own: without one a bridge takes the lowest of its ports and changes it as they come and go */
export function addBridge(name: string, mac: string): Step {
  const address = attribute(IFLA.ADDRESS, Buffer.from(mac.replaceAll(":", ""), "hex"));
  const info = attribute(IFLA.LINKINFO, attribute(INFO.KIND, Buffer.from("bridge")));
  return {
    name: `adding the bridge ${name}`,
    message: message(
      RTM.NEWLINK,
      NLM_F.CREATE | NLM_F.EXCL,
      linkHeader(0, false),
      attribute(IFLA.IFNAME, text(name)),
      address,
      info,
    ),
  };
}

/** Set by itself, an MTU stays; one given at the start would follow the smallest port. */
export function setMtu(index: number, mtu: number): Step {
  return {
    name: `the MTU ${mtu} of link ${index}`,
    message: message(RTM.NEWLINK, 0, linkHeader(index, false), attribute(IFLA.MTU, u32(mtu))),
  };
}
