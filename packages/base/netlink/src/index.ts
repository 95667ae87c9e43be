/** What the kernel does for networks, over netlink: links, addresses and routes, nftables and connection tracking. */
export { addBridge, setMtu } from "./bridge.ts";
export { deviceExists, deviceIndex } from "./devices.ts";
export {
  addAddress,
  addRoute,
  addVeth,
  defaultRoute,
  deleteAddress,
  directRoute,
  hairpinPort,
  isolatePort,
  linkIndex,
  moveLink,
  setMac,
  setUp,
} from "./link.ts";
export { Netfilter } from "./netfilter.ts";
export { addOutputNatChain, addRule, addTable, deleteTable, destinationNat, toAddress, toPort } from "./nftables.ts";
export { NetlinkRefused, Rtnetlink, type Step } from "./rtnetlink.ts";
export { addDummy, addVlan, addVlanLink, deleteLink, type VlanOptions } from "./vlan.ts";
