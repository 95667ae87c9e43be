import { closeSync, openSync, readFileSync } from "node:fs";
import { applySysctls } from "./endpoint-sysctls.ts";
import { addAddress, addVeth, defaultRoute, directRoute, isolatePort, linkIndex, noLinkLocal, setUp } from "./netlink/link.ts";
import { NetlinkRefused, Rtnetlink, type Step } from "./netlink/rtnetlink.ts";
import { addVlanLink, deleteLink } from "./netlink/vlan.ts";
import type { EndpointRecord } from "./records.ts";
import type { VlanOptions } from "./vlan-options.ts";

interface CommonPlan {
  endpoint: EndpointRecord;
  /** With the lengths of their subnets. */
  addresses: { address: string; bits: number }[];
}

interface BridgePlan extends CommonPlan {
  bridge: string;
  mtu: number;
  icc: boolean;
}

interface VlanPlan extends CommonPlan {
  vlan: VlanOptions;
  parent: string;
}

/** What a container's link needs beside its endpoint: a pair whose other side is on a bridge, or a link that lies on a device of the host. */
export type LinkPlan = BridgePlan | VlanPlan;

/** Where a namespace's default routes lead; gateways are empty where there are none. */
export interface DefaultRoutes {
  ifname: string;
  gateways: readonly string[];
  /** Families that are routed by the link alone. */
  direct: readonly (4 | 6)[];
}

/** In every namespace. */
const loopbackIndex = 1;
const ENODEV = 19;

/** A MAC that stands for an address: neighbours' tables stay right when the address goes to another container. */
export function macOf(ipv4: string): string {
  return ["02", "42", ...ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}

function hostIndex(device: string): number {
  return Number(readFileSync(`/sys/class/net/${device}/ifindex`, "utf8"));
}

function addSteps(plan: LinkPlan, netns: number): Step[] {
  const { endpoint } = plan;
  if ("vlan" in plan) return [addVlanLink({ name: endpoint.ifname, parent: hostIndex(plan.parent), mac: endpoint.mac, netns }, plan.vlan)];
  const { bridge, mtu, icc } = plan;
  const pair = addVeth({ name: endpoint.veth, master: hostIndex(bridge), peerName: endpoint.ifname, peerMac: endpoint.mac, peerNetns: netns, mtu });
  return icc ? [pair] : [pair, isolatePort(endpoint.veth)];
}

async function addLinks(plans: readonly LinkPlan[], netnsPath: string): Promise<void> {
  if (plans.length === 0) return;
  using host = new Rtnetlink();
  const netns = openSync(netnsPath, "r");
  try {
    await host.request(plans.flatMap((plan) => addSteps(plan, netns)));
  } finally {
    closeSync(netns);
  }
}

async function routeSteps(netlink: Rtnetlink, routes: DefaultRoutes | undefined): Promise<Step[]> {
  const gateways = routes?.gateways.filter((gateway) => gateway !== "") ?? [];
  if (!routes || gateways.length + routes.direct.length === 0) return [];
  const index = await linkIndex(netlink, routes.ifname);
  return [...gateways.map((gateway) => defaultRoute(index, gateway)), ...routes.direct.map((family) => directRoute(index, family))];
}

/**
 * Makes links, those of bridges with their host sides there, and gives them their addresses in the
 * namespace, whose loopback device comes up too. Routes come last.
 * @throws NetlinkRefused for the first thing that the kernel refused, Unknown for sysctls that there are not
 */
export async function connectLinks(plans: readonly LinkPlan[], netnsPath: string, routes: DefaultRoutes | undefined): Promise<void> {
  await addLinks(plans, netnsPath);
  using inside = new Rtnetlink(netnsPath);
  const steps = [setUp(loopbackIndex)];
  for (const { endpoint, addresses } of plans) {
    const index = await linkIndex(inside, endpoint.ifname);
    await applySysctls(endpoint, netnsPath);
    // Without IPv6 in the network there is no link-local address either.
    if (endpoint.ipv6 === "") steps.push(noLinkLocal(index));
    steps.push(...addresses.map(({ address, bits }) => addAddress(index, address, bits)), setUp(index));
  }
  await inside.request([...steps, ...(await routeSteps(inside, routes))]);
}

/** Deletes a link by its name in the namespace; one that is not there is no error. */
export async function disconnectLink(netnsPath: string, ifname: string): Promise<void> {
  using inside = new Rtnetlink(netnsPath);
  try {
    await inside.request([deleteLink(await linkIndex(inside, ifname))]);
  } catch (error) {
    if (!(error instanceof NetlinkRefused) || error.errno !== ENODEV) throw error;
  }
}

/** Leads a namespace's default routes elsewhere. */
export async function moveDefaultRoutes(netnsPath: string, routes: DefaultRoutes | undefined): Promise<void> {
  using inside = new Rtnetlink(netnsPath);
  await inside.request(await routeSteps(inside, routes));
}
