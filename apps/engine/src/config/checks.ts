import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import { InvalidArgument } from "@longshore/errdefs";
import type { LogLevel } from "@longshore/logger";
import { parseMirror } from "@longshore/remotes";
import { parseAddress } from "../listeners/address.ts";
import type { Config } from "./config.ts";
import { checkExecOption } from "./exec-options.ts";

const levels: Record<string, LogLevel> = {
  panic: "fatal",
  fatal: "fatal",
  error: "error",
  warn: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

/** A level by dockerd's names, in any case; empty is its default, and so is what `checkLogLevel` refuses. */
export function levelOf(name: string): LogLevel {
  return levels[name.toLowerCase()] ?? "info";
}

function refuse(reason: string): never {
  throw new InvalidArgument(reason);
}

const domain =
  /^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*\.?$/;

export function checkDnsSearch(entries: readonly string[]): void {
  for (const name of entries.map((entry) => entry.trim()))
    if (name !== "." && !(name.length < 255 && domain.test(name))) refuse(`${name} is not a valid domain`);
}

export function checkHostGateway(addresses: readonly string[]): void {
  if (addresses.filter(isIPv4).length > 1) refuse("only one IPv4 host gateway IP address can be specified");
  if (addresses.filter((address) => !isIPv4(address)).length > 1)
    refuse("only one IPv6 host gateway IP address can be specified");
}

/** As dockerd checks it; the proxy that runs is the engine's own. */
function checkProxyPath(path: string): void {
  if (path === "") return;
  if (!path.startsWith("/")) refuse(`invalid userland-proxy-path: must be an absolute path: ${path}`);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    return refuse(
      `invalid userland-proxy-path: exec: ${JSON.stringify(path)}: stat ${path}: no such file or directory`,
    );
  if (found.isDirectory()) refuse(`invalid userland-proxy-path: exec: ${JSON.stringify(path)}: is a directory`);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    refuse(`invalid userland-proxy-path: exec: ${JSON.stringify(path)}: permission denied`);
  }
}

/** A level that dockerd knows. */
export function checkLogLevel(name: string): void {
  if (name !== "" && levels[name.toLowerCase()] === undefined) refuse(`invalid logging level: ${name}`);
}

/** `host:port`, or nothing. */
export function checkMetricsAddress(address: string): void {
  const port = /^(?:\[[^\]]*\]|[^:]*):(\d+)$/.exec(address)?.[1];
  if (address === "" || (port !== undefined && Number(port) <= 65_535)) return;
  refuse(`metrics-addr: address ${address}: ${address.includes(":") ? "invalid port" : "missing port in address"}`);
}

export function checkLogFormat(format: string): void {
  if (!["", "text", "json"].includes(format)) refuse(`invalid log format: ${format}`);
}

/** @param what the number is, in dockerd's words */
export function atLeastZero(what: string): (value: number) => void {
  return (value) => {
    if (value < 0) refuse(`invalid ${what}: ${value}`);
  };
}

export function checkDiagnosticPort(port: number): void {
  if (port < 0 || port > 65_535) refuse(`invalid network-diagnostic-port (${port}): value must be between 0 and 65535`);
}

export function checkHosts(hosts: readonly string[]): void {
  for (const host of hosts) parseAddress(host);
}

export function checkCors(header: string): void {
  if (header !== "") {
    refuse(
      'DEPRECATED: The "api-cors-header" config parameter and the dockerd "--api-cors-header" option have been removed; use a reverse proxy if you need CORS headers',
    );
  }
}

export function checkRealTime(microseconds: number): void {
  if (microseconds !== 0 && existsSync("/sys/fs/cgroup/cgroup.controllers"))
    refuse("daemon-scoped cpu-rt-period and cpu-rt-runtime are not implemented for cgroup v2");
}

export function checkLabelForms(labels: readonly string[]): void {
  for (const label of labels) if (!label.includes("=")) refuse(`bad attribute format: ${label}`);
}

export function checkMirrors(mirrors: readonly string[]): void {
  mirrors.forEach(parseMirror);
}

export function checkExecOptions(list: readonly string[]): void {
  for (const option of list) {
    const reason = checkExecOption(option);
    if (reason !== undefined) refuse(`invalid exec-opt (${option}): ${reason}`);
  }
}

export function checkCgroupnsMode(mode: string): void {
  if (!["", "private", "host"].includes(mode))
    refuse(`invalid default cgroup namespace (${mode}): use "host" or "private"`);
}

/** Storage drivers that Docker has, beside the one that is served under two names. */
const otherDrivers: readonly string[] = ["btrfs", "fuse-overlayfs", "native", "vfs", "zfs"];

export function isOtherDriver(name: string): boolean {
  return otherDrivers.includes(name);
}

export function checkStorageDriver(name: string): void {
  if (!["", "overlay2", "overlayfs"].includes(name) && !isOtherDriver(name))
    refuse(`storage driver ${name} is not supported: only overlayfs is`);
}

/** What no option alone can tell. @throws InvalidArgument with dockerd's text, without its place */
export function checkTogether({ network }: Pick<Config, "network">): void {
  if (network.userlandProxy) checkProxyPath(network.userlandProxyPath);
  if (network.bip !== "" && network.bridge !== "")
    refuse("you specified -b & --bip, mutually exclusive options. Please specify only one");
}

export function checkIpcMode(mode: string): void {
  const hint = 'use "shareable" or "private"';
  const isMode = ["", "none", "private", "shareable", "host"].includes(mode) || /^container:.+/.test(mode);
  if (!isMode) refuse(`default IPC mode setting (${mode}) is invalid; ${hint}`);
  if (!["", "private", "shareable"].includes(mode))
    refuse(`IPC mode "${mode}" is not supported as default value; ${hint}`);
}

export function checkFixedCidrV6(cidr: string): void {
  if (cidr === "") return;
  const wrong = (reason: string): never =>
    refuse(`invalid fixed-cidr-v6: invalid fixed-cidr-v6: netip.ParsePrefix(${JSON.stringify(cidr)}): ${reason}`);
  const [, address, bits] = /^(.*)\/(\d{1,3})$/.exec(cidr) ?? [];
  if (address === undefined) return wrong("no '/'");
  if (!isIPv4(address) && !isIPv6(address)) return wrong(`ParseAddr(${JSON.stringify(address)}): unable to parse IP`);
  if (isIPv4(address)) refuse("invalid fixed-cidr-v6: fixed-cidr-v6 is not an IPv6 subnet");
  if (Number(bits) > 128) wrong("prefix length out of range");
}

/** A name or number as `userns-remap` has it before and behind its colon. */
function isKnown(name: string, database: "passwd" | "group"): boolean {
  if (/^\d+$/.test(name)) return true;
  const text = readFileSync(`/etc/${database}`, { encoding: "utf8" });
  return text.split("\n").some((line) => line.split(":", 1)[0] === name);
}

/** Who containers' users would be mapped to. @throws InvalidArgument with dockerd's text for somebody unknown */
export function checkUserns(remap: string): void {
  if (remap === "" || remap === "default") return;
  const [user = "", group = user, ...more] = remap.split(":");
  if (more.length > 0) refuse(`invalid username and groupname specification: ${JSON.stringify(remap)}`);
  if (!isKnown(user, "passwd"))
    refuse(
      `Error during uid lookup for ${JSON.stringify(user)}: getent unable to find entry ${JSON.stringify(user)} in passwd database`,
    );
  if (!isKnown(group, "group"))
    refuse(
      `Error during gid lookup for ${JSON.stringify(group)}: getent unable to find entry ${JSON.stringify(group)} in group database`,
    );
}

/** Labels with one key and two values. @throws InvalidArgument with dockerd's text */
export function checkLabels(labels: readonly string[]): void {
  const values = new Map<string, string>();
  for (const label of labels) {
    const key = label.slice(0, label.indexOf("="));
    const value = label.slice(label.indexOf("=") + 1);
    const before = values.get(key);
    if (before !== undefined && before !== value) refuse(`conflict labels for ${key}=${value} and ${key}=${before}`);
    values.set(key, value);
  }
}
