import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import { InvalidArgument } from "@longshore/errdefs";
import type { LogLevel } from "@longshore/logger";
import { parseMirror } from "@longshore/remotes";
import { parseAddress } from "../listeners/address.ts";
import type { Config } from "./config.ts";
import { checkExecOption } from "./exec-options.ts";
import type { Given } from "./flags.ts";
import { isStorageDriver } from "./warnings.ts";

const levels: Record<string, LogLevel> = {
  panic: "fatal",
  fatal: "fatal",
  error: "error",
  warn: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

/** A level by dockerd's names, in any case; empty is its default. What is none stays as it is and is refused by `checkGiven`. */
export function levelOf(name: string): LogLevel {
  return name === "" ? "info" : (levels[name.toLowerCase()] ?? (name as LogLevel));
}

function refuse(reason: string): never {
  throw new InvalidArgument(reason);
}

const domain =
  /^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*\.?$/;

function checkDnsSearch(entry: string): void {
  const name = entry.trim();
  if (name !== "." && !(name.length < 255 && domain.test(name))) refuse(`${name} is not a valid domain`);
}

function checkHostGateway(addresses: readonly string[]): void {
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

/** Options that leave nothing in the typed configuration, or not as they were given. @throws InvalidArgument with dockerd's text, without its place */
export function checkGiven(given: Given): void {
  const text = (flag: string): string => String(given.get(flag) ?? "");
  const number = (flag: string): number => Number(given.get(flag) ?? 0);
  if (text("log-level") !== "" && levels[text("log-level").toLowerCase()] === undefined)
    refuse(`invalid logging level: ${text("log-level")}`);
  if (!["", "text", "json"].includes(text("log-format"))) refuse(`invalid log format: ${text("log-format")}`);
  if (number("max-download-attempts") < 0) refuse(`invalid max download attempts: ${number("max-download-attempts")}`);
  const port = number("network-diagnostic-port");
  if (port < 0 || port > 65_535) refuse(`invalid network-diagnostic-port (${port}): value must be between 0 and 65535`);
  for (const host of (given.get("host") ?? []) as string[]) parseAddress(host);
  if (text("api-cors-header") !== "") {
    refuse(
      'DEPRECATED: The "api-cors-header" config parameter and the dockerd "--api-cors-header" option have been removed; use a reverse proxy if you need CORS headers',
    );
  }
  if (given.get("userland-proxy") !== false) checkProxyPath(text("userland-proxy-path"));
  const realTime = number("cpu-rt-period") !== 0 || number("cpu-rt-runtime") !== 0;
  if (realTime && existsSync("/sys/fs/cgroup/cgroup.controllers"))
    refuse("daemon-scoped cpu-rt-period and cpu-rt-runtime are not implemented for cgroup v2");
}

/** @throws InvalidArgument with dockerd's text, without its place */
export function checkConfig(config: Config): void {
  const { network } = config;
  network.dnsSearch.forEach(checkDnsSearch);
  checkHostGateway(network.hostGatewayIps);
  for (const label of config.labels) if (!label.includes("=")) refuse(`bad attribute format: ${label}`);
  if (network.mtu < 0) refuse(`invalid default MTU: ${network.mtu}`);
  if (config.maxConcurrentDownloads < 0) refuse(`invalid max concurrent downloads: ${config.maxConcurrentDownloads}`);
  if (config.maxConcurrentUploads < 0) refuse(`invalid max concurrent uploads: ${config.maxConcurrentUploads}`);
  config.registryMirrors.forEach(parseMirror);
  for (const option of config.execOpts) {
    const reason = checkExecOption(option);
    if (reason !== undefined) refuse(`invalid exec-opt (${option}): ${reason}`);
  }
  checkIpcMode(config.defaultIpcMode);
  if (!["", "private", "host"].includes(config.defaultCgroupnsMode))
    refuse(`invalid default cgroup namespace (${config.defaultCgroupnsMode}): use "host" or "private"`);
  checkFixedCidrV6(network.fixedCidrV6);
  if (!isStorageDriver(config.storageDriver))
    refuse(`storage driver ${config.storageDriver} is not supported: only overlayfs is`);
  if (network.bip !== "" && network.bridge !== "")
    refuse("you specified -b & --bip, mutually exclusive options. Please specify only one");
}

function checkIpcMode(mode: string): void {
  const hint = 'use "shareable" or "private"';
  const isMode = ["", "none", "private", "shareable", "host"].includes(mode) || /^container:.+/.test(mode);
  if (!isMode) refuse(`default IPC mode setting (${mode}) is invalid; ${hint}`);
  if (!["", "private", "shareable"].includes(mode))
    refuse(`IPC mode "${mode}" is not supported as default value; ${hint}`);
}

function checkFixedCidrV6(cidr: string): void {
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
