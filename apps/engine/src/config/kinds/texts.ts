import { isIP } from "node:net";
import { InvalidArgument } from "@longshore/errdefs";
import { parseBool } from "@longshore/go-values";

export interface AddressPool {
  base: string;
  size: number;
}
/** An entry of `runtimes`: either an OCI runtime's binary and its arguments, or a shim and its options. */
export interface RuntimeConfig {
  path?: string;
  runtimeArgs?: string[];
  /** containerd's name of a shim, or the path of one. */
  runtimeType?: string;
  options?: Record<string, unknown>;
}
export interface UlimitConfig {
  Name: string;
  Soft: number;
  Hard: number;
}

/** @throws InvalidArgument in the words of dockerd's flag parser */
export function parseIp(value: string): string {
  if (isIP(value.trim()) === 0) throw new InvalidArgument(`failed to parse IP: ${JSON.stringify(value)}`);
  return value.trim();
}

/** @throws InvalidArgument in the words of Go's netip, which some of dockerd's flags are parsed with */
export function parseAddr(value: string): string {
  if (isIP(value.split("%", 1)[0] ?? "") === 0)
    throw new InvalidArgument(`ParseAddr(${JSON.stringify(value)}): unable to parse IP`);
  return value;
}

/** One of a list of addresses. @throws InvalidArgument in the words of dockerd's flag parser */
export function parseSliceIp(value: string): string {
  if (isIP(value.trim()) === 0)
    throw new InvalidArgument(`invalid string being converted to IP address: ${value.trim()}`);
  return value.trim();
}

/** `name`, or `name=false`. */
export function parseFeature(value: string): [name: string, enabled: boolean] {
  const equals = value.indexOf("=");
  return equals < 0 ? [value, true] : [value.slice(0, equals), parseBool(value.slice(equals + 1))];
}

/** `bridge=option=value`: a driver, and one of its options. */
export function parseMapMap(value: string): [root: string, key: string, value: string] {
  const [, root, key, member] = /^([^=]*)=([^=]*)=(.*)$/s.exec(value) ?? [];
  if (root === undefined || key === undefined || member === undefined) {
    throw new InvalidArgument(`invalid value ${JSON.stringify(value)} for map option, should be root-key=key=value`);
  }
  return [root, key, member];
}

/** `base=10.0.0.0/8,size=24` */
export function parsePool(value: string): AddressPool {
  const fields = new Map(value.split(",").map((field) => field.split("=", 2) as [string, string | undefined]));
  for (const [key, part] of fields) {
    if (part === undefined) throw new InvalidArgument(`invalid field '${key}' must be a key=value pair`);
    if (key !== "base" && key !== "size") throw new InvalidArgument(`unexpected key '${key}' in '${key}=${part}'`);
  }
  const base = fields.get("base") ?? "";
  if (!/^[0-9a-fA-F.:]+\/\d+$/.test(base)) throw new InvalidArgument(`invalid base prefix ${JSON.stringify(base)}`);
  const size = fields.get("size") ?? "";
  if (!/^\d+$/.test(size)) throw new InvalidArgument(`invalid size value: ${size}`);
  return { base, size: Number(size) };
}

/** `name=path` */
export function parseRuntime(value: string): [string, RuntimeConfig] {
  const equals = value.indexOf("=");
  const name = value.slice(0, equals).trim().toLowerCase();
  const path = value.slice(equals + 1).trim();
  if (equals < 0 || name === "" || path === "") throw new InvalidArgument(`invalid runtime argument: ${value}`);
  if (name === "runc") throw new InvalidArgument(`runtime name 'runc' is reserved`);
  return [name, { path }];
}

/** `nofile=1024:2048` */
export function parseUlimit(value: string): UlimitConfig {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value);
  if (match === null) throw new InvalidArgument(`invalid ulimit argument: ${value}`);
  const soft = Number(match[2]);
  const hard = match[3] === undefined ? soft : Number(match[3]);
  if (hard !== -1 && (soft > hard || soft === -1))
    throw new InvalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  return { Name: match[1] ?? "", Soft: soft, Hard: hard };
}
