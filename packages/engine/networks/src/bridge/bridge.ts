import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { Logger } from "@longshore/logger";
import { type Family, formatAddress, type Prefix } from "@longshore/ip";
import { mustPrefix } from "../ipam/defaults.ts";
import {
  addAddress,
  addBridge,
  deleteLink,
  deviceExists,
  deviceIndex,
  linkIndex,
  NetlinkRefused,
  Rtnetlink,
  setMtu,
  setUp,
  type Step,
} from "@longshore/netlink";
import { run } from "../run.ts";

/** A bridge device with the addresses that the host has on it. */
export interface BridgeDevice {
  name: string;
  /** Gateways with their subnets' lengths (`172.17.0.1/16`). */
  addresses: string[];
  /** 0: the kernel's default. */
  mtu: number;
}

/** A random unicast address of the locally administered kind. */
export function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = (bytes[0]! & 0xfe) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

interface AddrInfo {
  family: "inet" | "inet6";
  local: string;
  prefixlen: number;
  scope: string;
}

/** The addresses of a device in CIDR form, link-local ones left out. */
export async function deviceAddresses(name: string): Promise<string[]> {
  const [link] = JSON.parse(await run("ip", ["-j", "addr", "show", "dev", name])) as { addr_info: AddrInfo[] }[];
  return (link?.addr_info ?? [])
    .filter(({ scope }) => scope === "global")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** The link-local address that the kernel makes of a hardware address. */
function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const group = (high: number, low: number) => ((high << 8) | low).toString(16);
  return `fe80::${group(a ^ 2, b)}:${group(c, 0xff)}:${group(0xfe, d)}:${group(e, f)}`;
}

async function makeBridge({ name, addresses, mtu }: BridgeDevice): Promise<void> {
  using netlink = new Rtnetlink();
  const mac = randomMac();
  await netlink.request([addBridge(name, mac)]);
  const index = await linkIndex(netlink, name);
  // Neighbours are asked for from there: left to itself, the kernel has it two seconds after the first container is there.
  if (addresses.some((address) => address.includes(":"))) addresses = [...addresses, `${linkLocalOf(mac)}/64`];
  await netlink.request(upSteps(index, addresses, mtu));
}

function upSteps(index: number, addresses: readonly string[], mtu: number): Step[] {
  const assign = addresses.map((text) => {
    const { bits, ...address } = mustPrefix(text);
    return addAddress(index, formatAddress(address), bits);
  });
  return [...assign, ...(mtu > 0 ? [setMtu(index, mtu)] : []), setUp(index)];
}

/** Makes the device as it should be, or brings an existing one (of an earlier run, or the administrator's own) there. */
export async function ensureBridge(device: BridgeDevice): Promise<void> {
  const { name, addresses, mtu } = device;
  if (!(await deviceExists(name))) return makeBridge(device);
  const have = await deviceAddresses(name);
  const missing = addresses.filter((address) => !have.includes(address));
  using netlink = new Rtnetlink();
  await netlink.request(upSteps(await linkIndex(netlink, name), missing, mtu));
}

/** Removes a device; one that is not there is no error. */
export async function removeLink(name: string): Promise<void> {
  const index = await deviceIndex(name);
  if (index === undefined) return;
  using netlink = new Rtnetlink();
  try {
    await netlink.request([deleteLink(index)]);
  } catch (error) {
    if (!(error instanceof NetlinkRefused) || (await deviceExists(name))) throw error;
  }
}

interface Route {
  dst: string;
  dev: string;
}

/** The blocks that the host's routing tables lead to, those through `except` left out. */
export async function hostRoutes(family: Family, except: ReadonlySet<string>): Promise<Prefix[]> {
  const routes = JSON.parse(
    (await run("ip", ["-j", `-${family}`, "route", "show", "table", "main"])) || "[]",
  ) as Route[];
  return routes
    .filter(({ dst, dev }) => dst !== "default" && !except.has(dev))
    .map(({ dst }) => mustPrefix(dst.includes("/") ? dst : `${dst}/${family === 4 ? 32 : 128}`));
}

const forwarding = { 4: "/proc/sys/net/ipv4/ip_forward", 6: "/proc/sys/net/ipv6/conf/all/forwarding" } as const;

/** Whether the host routes; without it no packet leaves a bridge. */
export function forwards(family: Family): boolean {
  return readFileSync(forwarding[family], "utf8").trim() !== "0";
}

export function enableForwarding(family: Family, log: Logger): void {
  const path = forwarding[family];
  writeFileSync(path, "1");
  log.info({ path }, "IP forwarding is switched on");
}

/** Switches on what a bridge needs of the kernel's settings for IPv4. */
export function tuneBridge(device: string, { userlandProxy, icc }: { userlandProxy: boolean; icc: boolean }): void {
  const switchOn = (name: string): void => writeFileSync(`/proc/sys/net/ipv4/conf/${device}/${name}`, "1");
  // Where no proxy listens there, the host's loopback address leads over the bridge.
  if (!userlandProxy) switchOn("route_localnet");
  // Ports that do not see each other ask the host for their neighbours: its rules say what links let through.
  if (!icc) switchOn("proxy_arp_pvlan");
}
