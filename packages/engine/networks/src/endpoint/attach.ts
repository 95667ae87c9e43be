import { closeSync, openSync } from "node:fs";
import { applySysctls } from "./endpoint-sysctls.ts";
import { switchLink } from "./ipv6-switch.ts";
import {
  addAddress,
  addVeth,
  addVlanLink,
  defaultRoute,
  deleteLink,
  directRoute,
  hairpinPort,
  isolatePort,
  linkIndex,
  NetlinkRefused,
  Rtnetlink,
  setUp,
  type Step,
} from "@longshore/netlink";
import type { EndpointRecord } from "../records/records.ts";
import type { VlanOptions } from "@longshore/netlink";

interface CommonPlan {
  endpoint: EndpointRecord;
  /** With the lengths of their subnets. */
  addresses: { address: string; bits: number }[];
}

interface BridgePlan extends CommonPlan {
  bridge: string;
  mtu: number;
  icc: boolean;
  /** Whether the bridge sends frames back to where they came from. */
  hairpin: boolean;
}

interface VlanPlan extends CommonPlan {
  vlan: VlanOptions;
  parent: string;
}

/** What a container's link needs beside its endpoint: a pair whose other side is on a bridge, or a link that lies on a device of the host. */
export type LinkPlan = BridgePlan | VlanPlan;

/** Where a default route of a namespace leads: by a gateway, or, where that is empty, by the link alone. */
export interface DefaultRoute {
  family: 4 | 6;
  ifname: string;
  gateway: string;
}

/** In every namespace. */
const loopbackIndex = 1;
const ENODEV = 19;

/** A MAC that stands for an address: neighbours' tables stay right when the address goes to another container. */
export function macOf(ipv4: string): string {
  return ["02", "42", ...ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}

/** @param device index of what the link lies on, or is a port of, on the host */
function addSteps(plan: LinkPlan, device: number, netns: number): Step[] {
  const { endpoint } = plan;
  if ("vlan" in plan)
    return [addVlanLink({ name: endpoint.ifname, parent: device, mac: endpoint.mac, netns }, plan.vlan)];
  const { mtu, icc, hairpin } = plan;
  const pair = addVeth({
    name: endpoint.veth,
    master: device,
    peerName: endpoint.ifname,
    peerMac: endpoint.mac,
    peerNetns: netns,
    mtu,
  });
  return [pair, ...(icc ? [] : [isolatePort(endpoint.veth)]), ...(hairpin ? [hairpinPort(endpoint.veth)] : [])];
}

async function addLinks(plans: readonly LinkPlan[], netnsPath: string): Promise<void> {
  if (plans.length === 0) return;
  using host = new Rtnetlink();
  const netns = openSync(netnsPath, "r");
  try {
    const steps: Step[] = [];
    for (const plan of plans)
      steps.push(...addSteps(plan, await linkIndex(host, "vlan" in plan ? plan.parent : plan.bridge), netns));
    await host.request(steps);
  } finally {
    closeSync(netns);
  }
}

async function routeSteps(netlink: Rtnetlink, routes: readonly DefaultRoute[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const { family, ifname, gateway } of routes) {
    const index = await linkIndex(netlink, ifname);
    steps.push(gateway === "" ? directRoute(index, family) : defaultRoute(index, gateway));
  }
  return steps;
}

/**
 * Makes links, those of bridges with their host sides there, and gives them their addresses in the
 * namespace, whose loopback device comes up too. Routes come last.
 * @throws NetlinkRefused for the first thing that the kernel refused, Unknown for sysctls that there are not
 */
export async function connectLinks(
  plans: readonly LinkPlan[],
  netnsPath: string,
  routes: readonly DefaultRoute[],
): Promise<void> {
  await addLinks(plans, netnsPath);
  using inside = new Rtnetlink(netnsPath);
  const steps = [setUp(loopbackIndex)];
  for (const { endpoint, addresses } of plans) {
    const index = await linkIndex(inside, endpoint.ifname);
    switchLink(netnsPath, endpoint.ifname, endpoint.ipv6 !== "");
    applySysctls(endpoint, netnsPath);
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
export async function moveDefaultRoutes(netnsPath: string, routes: readonly DefaultRoute[]): Promise<void> {
  using inside = new Rtnetlink(netnsPath);
  await inside.request(await routeSteps(inside, routes));
}
