import { IFLA, INFO, linkHeader, RTM } from "./link.ts";
import { attribute, message, NLM_F, text, u16, u32 } from "./message.ts";
import type { Step } from "./rtnetlink.ts";

// Of linux/if_link.h.
const IFLA_MACVLAN_MODE = 1;
const IFLA_IPVLAN = { MODE: 1, FLAGS: 2 } as const;
const IFLA_VLAN_ID = 1;
const macvlanMode = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
const ipvlanMode = { l2: 0, l3: 1, l3s: 2 } as const;
const ipvlanFlag = { bridge: 0, private: 1, vepa: 2 } as const;

/** What a link on a device of the host is like. */
export type VlanOptions =
  | { driver: "macvlan"; mode: keyof typeof macvlanMode }
  | { driver: "ipvlan"; mode: keyof typeof ipvlanMode; flag: keyof typeof ipvlanFlag };

function kindInfo(kind: string, ...data: readonly Buffer[]): Buffer {
  const details = data.length > 0 ? [attribute(INFO.DATA, ...data)] : [];
  return attribute(IFLA.LINKINFO, attribute(INFO.KIND, Buffer.from(kind)), ...details);
}

function addLink(name: string, ...attributes: readonly Buffer[]): Step {
  return {
    name: `adding the link ${name}`,
    message: message(
      RTM.NEWLINK,
      NLM_F.CREATE | NLM_F.EXCL,
      linkHeader(0, false),
      attribute(IFLA.IFNAME, text(name)),
      ...attributes,
    ),
  };
}

/** A link of a macvlan or ipvlan network, born in the namespace that it is for. */
export interface VlanLink {
  name: string;
  /** Index of the parent, in the namespace of the request. */
  parent: number;
  /** Empty for the parent's. */
  mac: string;
  netns: number;
}

export function addVlanLink({ name, parent, mac, netns }: VlanLink, vlan: VlanOptions): Step {
  const address = mac === "" ? [] : [attribute(IFLA.ADDRESS, Buffer.from(mac.replaceAll(":", ""), "hex"))];
  const info =
    vlan.driver === "macvlan"
      ? kindInfo("macvlan", attribute(IFLA_MACVLAN_MODE, u32(macvlanMode[vlan.mode])))
      : kindInfo(
          "ipvlan",
          attribute(IFLA_IPVLAN.MODE, u16(ipvlanMode[vlan.mode])),
          attribute(IFLA_IPVLAN.FLAGS, u16(ipvlanFlag[vlan.flag])),
        );
  const { message: bytes } = addLink(
    name,
    ...address,
    attribute(IFLA.LINK, u32(parent)),
    attribute(IFLA.NET_NS_FD, u32(netns)),
    info,
  );
  return { name: `failed to create the ${vlan.driver} port`, message: bytes };
}

/** A device that leads nowhere, for networks without a way out. */
export function addDummy(name: string): Step {
  return addLink(name, kindInfo("dummy"));
}

/** A VLAN (802.1Q) on the device with the index `parent`. */
export function addVlan(name: string, parent: number, id: number): Step {
  return addLink(name, attribute(IFLA.LINK, u32(parent)), kindInfo("vlan", attribute(IFLA_VLAN_ID, u16(id))));
}

export function deleteLink(index: number): Step {
  return { name: `deleting link ${index}`, message: message(RTM.DELLINK, 0, linkHeader(index, false)) };
}
