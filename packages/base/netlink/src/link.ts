import { type Family, familyOf, parseAddress, parsePrefix, sizeOf, firstOf, formatAddress } from "@longshore/ip";
import { attribute, message, NLM_F, readI32, text, u16, u32, u8 } from "./message.ts";
import type { Rtnetlink, Step } from "./rtnetlink.ts";

// Of linux/rtnetlink.h, if_link.h, if_addr.h and veth.h.
export const RTM = { NEWLINK: 16, DELLINK: 17, GETLINK: 18, NEWADDR: 20, DELADDR: 21, NEWROUTE: 24 } as const;
export const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, MASTER: 10, LINKINFO: 18, NET_NS_FD: 28 } as const;
export const INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const;
const VETH_INFO_PEER = 1;
const IFLA_BRPORT_ISOLATED = 33;
const IFLA_BRPORT_MODE = 4;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;
const IFA_F_NODAD = 2;
const RTA = { DST: 1, GATEWAY: 5, OIF: 4 } as const;
const IFF_UP = 1;
const AF_INET6 = 10;
const EADDRNOTAVAIL = 99;
const abiFamily = { 4: 2, 6: AF_INET6 } as const;

/** `struct ifinfomsg`; index 0 for a link that is named by an attribute. */
export function linkHeader(index: number, up: boolean): Buffer {
  const flags = up ? IFF_UP : 0;
  return Buffer.concat([u8(0), u8(0), u16(0), u32(index), u32(flags), u32(flags)]);
}

function addressBytes(address: string): Buffer {
  const parsed = parseAddress(address);
  if (!parsed) throw new TypeError(`${address} is no address`);
  return Buffer.from(parsed.value.toString(16).padStart(parsed.family === 4 ? 8 : 32, "0"), "hex");
}

export interface VethPair {
  /** The host's side, which is brought up. */
  name: string;
  /** Index of the bridge that it joins. */
  master: number;
  /** The other side's name, hardware address and the descriptor of its namespace. */
  peerName: string;
  peerMac: string;
  peerNetns: number;
  /** 0: the kernel's own. */
  mtu: number;
}

export function addVeth({ name, master, peerName, peerMac, peerNetns, mtu }: VethPair): Step {
  const size = mtu > 0 ? [attribute(IFLA.MTU, u32(mtu))] : [];
  const mac = Buffer.from(peerMac.replaceAll(":", ""), "hex");
  const peer = attribute(
    VETH_INFO_PEER,
    linkHeader(0, false),
    attribute(IFLA.IFNAME, text(peerName)),
    attribute(IFLA.ADDRESS, mac),
    ...size,
    attribute(IFLA.NET_NS_FD, u32(peerNetns)),
  );
  const info = attribute(IFLA.LINKINFO, attribute(INFO.KIND, Buffer.from("veth")), attribute(INFO.DATA, peer));
  const body = [
    linkHeader(0, true),
    attribute(IFLA.IFNAME, text(name)),
    ...size,
    attribute(IFLA.MASTER, u32(master)),
    info,
  ];
  return { name: `adding the veth pair ${name}`, message: message(RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, ...body) };
}

function portOption(name: string, what: string, option: number): Step {
  const info = attribute(
    IFLA.LINKINFO,
    attribute(INFO.SLAVE_KIND, Buffer.from("bridge")),
    attribute(INFO.SLAVE_DATA, attribute(option, u8(1))),
  );
  return {
    name: `${what} ${name}`,
    message: message(RTM.NEWLINK, 0, linkHeader(0, false), attribute(IFLA.IFNAME, text(name)), info),
  };
}

/** Isolated ports of a bridge reach the bridge itself but not each other. */
export function isolatePort(name: string): Step {
  return portOption(name, "isolating", IFLA_BRPORT_ISOLATED);
}

/** A frame may leave a bridge where it came in: what a container asks of its own published port. */
export function hairpinPort(name: string): Step {
  return portOption(name, "sending back through", IFLA_BRPORT_MODE);
}

export function setUp(index: number): Step {
  return { name: `bringing link ${index} up`, message: message(RTM.NEWLINK, 0, linkHeader(index, true)) };
}

/** IPv4 with its broadcast address; IPv6 without duplicate detection, since the address is assigned to nobody else. */
export function addAddress(index: number, address: string, bits: number): Step {
  const family = familyOf(address);
  const bytes = addressBytes(address);
  const prefix = parsePrefix(`${address}/${bits}`);
  const broadcast =
    prefix && family === 4 && bits <= 30
      ? [
          attribute(
            IFA.BROADCAST,
            addressBytes(formatAddress({ family, value: firstOf(prefix) + sizeOf(prefix) - 1n })),
          ),
        ]
      : [];
  const header = Buffer.concat([
    u8(abiFamily[family]),
    u8(bits),
    u8(family === 6 ? IFA_F_NODAD : 0),
    u8(0),
    u32(index),
  ]);
  return {
    name: `adding the address ${address}/${bits}`,
    message: message(
      RTM.NEWADDR,
      NLM_F.CREATE | NLM_F.EXCL,
      header,
      attribute(IFA.LOCAL, bytes),
      attribute(IFA.ADDRESS, bytes),
      ...broadcast,
    ),
  };
}

/** Takes an address off a link; one that it has not is no error. */
export function deleteAddress(index: number, address: string, bits: number): Step {
  const header = Buffer.concat([u8(abiFamily[familyOf(address)]), u8(bits), u8(0), u8(0), u32(index)]);
  return {
    name: `deleting the address ${address}/${bits}`,
    message: message(RTM.DELADDR, 0, header, attribute(IFA.LOCAL, addressBytes(address))),
    tolerates: EADDRNOTAVAIL,
  };
}

/** Leads the default route of the gateway's family through a link, whether there is one yet or not. */
export function defaultRoute(index: number, gateway: string): Step {
  const [mainTable, bootProtocol, universe, unicast] = [254, 3, 0, 1];
  const header = Buffer.concat([
    u8(abiFamily[familyOf(gateway)]),
    u8(0),
    u8(0),
    u8(0),
    u8(mainTable),
    u8(bootProtocol),
    u8(universe),
    u8(unicast),
    u32(0),
  ]);
  return {
    name: `the default route by ${gateway}`,
    message: message(
      RTM.NEWROUTE,
      NLM_F.CREATE | NLM_F.REPLACE,
      header,
      attribute(RTA.GATEWAY, addressBytes(gateway)),
      attribute(RTA.OIF, u32(index)),
    ),
  };
}

/** Sends all of a family through a link, with no gateway in between. */
export function directRoute(index: number, family: Family): Step {
  const [mainTable, bootProtocol, linkScope, unicast] = [254, 3, 253, 1];
  const header = Buffer.concat([
    u8(abiFamily[family]),
    u8(0),
    u8(0),
    u8(0),
    u8(mainTable),
    u8(bootProtocol),
    u8(linkScope),
    u8(unicast),
    u32(0),
  ]);
  return {
    name: "the default route by the link",
    message: message(RTM.NEWROUTE, NLM_F.CREATE | NLM_F.REPLACE, header, attribute(RTA.OIF, u32(index))),
  };
}

/** Takes a link to another namespace, down, and gives it another name there. @param netns descriptor of the namespace */
export function moveLink(index: number, netns: number, name: string): Step {
  return {
    name: `moving link ${index}`,
    message: message(
      RTM.NEWLINK,
      0,
      linkHeader(index, false),
      attribute(IFLA.IFNAME, text(name)),
      attribute(IFLA.NET_NS_FD, u32(netns)),
    ),
  };
}

export function setMac(index: number, mac: string): Step {
  return {
    name: `setting the hardware address ${mac}`,
    message: message(
      RTM.NEWLINK,
      0,
      linkHeader(index, false),
      attribute(IFLA.ADDRESS, Buffer.from(mac.replaceAll(":", ""), "hex")),
    ),
  };
}

/** A route by a next hop, or through the link alone when that is empty. */
export function addRoute(index: number, destination: string, nextHop: string): Step {
  const [mainTable, bootProtocol, universe, linkScope, unicast] = [254, 3, 0, 253, 1];
  const [address = "", bits = ""] = destination.split("/");
  const header = Buffer.concat([
    u8(abiFamily[familyOf(address)]),
    u8(Number(bits)),
    u8(0),
    u8(0),
    u8(mainTable),
    u8(bootProtocol),
    u8(nextHop === "" ? linkScope : universe),
    u8(unicast),
    u32(0),
  ]);
  const target = Number(bits) === 0 ? [] : [attribute(RTA.DST, addressBytes(address))];
  const via = nextHop === "" ? [] : [attribute(RTA.GATEWAY, addressBytes(nextHop))];
  return {
    name: `the route to ${destination}`,
    message: message(
      RTM.NEWROUTE,
      NLM_F.CREATE | NLM_F.EXCL,
      header,
      ...target,
      ...via,
      attribute(RTA.OIF, u32(index)),
    ),
  };
}

/** The index of a link by its name. @throws NetlinkRefused ENODEV */
export async function linkIndex(netlink: Rtnetlink, name: string): Promise<number> {
  const [link] = await netlink.request([
    {
      name: `finding the link ${name}`,
      message: message(RTM.GETLINK, 0, linkHeader(0, false), attribute(IFLA.IFNAME, text(name))),
    },
  ]);
  if (!link) throw new TypeError(`no answer for the link ${name}`);
  return readI32(link, 16 + 4);
}
