import { closeSync, openSync, readFileSync } from "node:fs";
import { addAddress, addVeth, defaultRoute, isolatePort, linkIndex, noLinkLocal, setUp } from "./netlink/link.ts";
import { Rtnetlink } from "./netlink/rtnetlink.ts";
import type { EndpointRecord } from "./records.ts";

/** What a pair of veth devices needs beside its endpoint. */
export interface VethPlan {
  endpoint: EndpointRecord;
  bridge: string;
  mtu: number;
  icc: boolean;
  /** Lengths of the subnets. */
  bits: { 4: number; 6: number };
}

/** Where a namespace's default routes lead; gateways are empty where there are none. */
export interface DefaultRoutes {
  ifname: string;
  gateways: readonly string[];
}

/** In every namespace. */
const loopbackIndex = 1;

/** A MAC that stands for an address: neighbours' tables stay right when the address goes to another container. */
export function macOf(ipv4: string): string {
  return ["02", "42", ...ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}

async function addPairs(plans: readonly VethPlan[], netnsPath: string): Promise<void> {
  if (plans.length === 0) return;
  using host = new Rtnetlink();
  const peerNetns = openSync(netnsPath, "r");
  try {
    await host.request(
      plans.flatMap(({ endpoint, bridge, mtu, icc }) => {
        const master = Number(readFileSync(`/sys/class/net/${bridge}/ifindex`, "utf8"));
        const pair = addVeth({ name: endpoint.veth, master, peerName: endpoint.ifname, peerMac: endpoint.mac, peerNetns, mtu });
        return icc ? [pair] : [pair, isolatePort(endpoint.veth)];
      }),
    );
  } finally {
    closeSync(peerNetns);
  }
}

async function routeSteps(netlink: Rtnetlink, routes: DefaultRoutes | undefined) {
  const gateways = routes?.gateways.filter((gateway) => gateway !== "") ?? [];
  if (!routes || gateways.length === 0) return [];
  const index = await linkIndex(netlink, routes.ifname);
  return gateways.map((gateway) => defaultRoute(index, gateway));
}

/**
 * Makes pairs, their host sides on the bridges, their other sides with their addresses in the
 * namespace, whose loopback device comes up too. Routes come last.
 * @throws NetlinkRefused for the first thing that the kernel refused
 */
export async function connectVeths(plans: readonly VethPlan[], netnsPath: string, routes: DefaultRoutes | undefined): Promise<void> {
  await addPairs(plans, netnsPath);
  using inside = new Rtnetlink(netnsPath);
  const steps = [setUp(loopbackIndex)];
  for (const { endpoint, bits } of plans) {
    const { ifname, ipv4, ipv6 } = endpoint;
    const index = await linkIndex(inside, ifname);
    // Without IPv6 in the network there is no link-local address either.
    if (ipv6 === "") steps.push(noLinkLocal(index));
    if (ipv4 !== "") steps.push(addAddress(index, ipv4, bits[4]));
    if (ipv6 !== "") steps.push(addAddress(index, ipv6, bits[6]));
    steps.push(setUp(index));
  }
  await inside.request([...steps, ...(await routeSteps(inside, routes))]);
}

/** Leads a namespace's default routes elsewhere. */
export async function moveDefaultRoutes(netnsPath: string, routes: DefaultRoutes | undefined): Promise<void> {
  using inside = new Rtnetlink(netnsPath);
  await inside.request(await routeSteps(inside, routes));
}
