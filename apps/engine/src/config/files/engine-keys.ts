import { InvalidArgument } from "@longshore/errdefs";
import { parseEndpointRule, type Policy } from "../../access/policy.ts";
import { isObject } from "../kinds/json.ts";
import { ramInBytes } from "@longshore/go-values";

/** A further socket of the engine, with less rights than its own. */
interface PolicySocket {
  path: string;
  group: string;
  mode: number;
  policy: Policy;
}

/** What Docker has no key for. All of it is off unless asked for. */
export interface AccessConfig {
  sockets: PolicySocket[];
  audit?: { path: string; reads: boolean };
  /** Bytes that an archive put into a container may unpack to; absent: as many as the disk has. */
  maxUnpacked?: number;
}

function refuse(place: string, reason: string): never {
  throw new InvalidArgument(place === "" ? `invalid JSON: ${reason}` : `invalid JSON: ${place}: ${reason}`);
}

function members(value: unknown, place: string, known: readonly string[]): Record<string, unknown> {
  if (!isObject(value)) return refuse(place, "must be an object");
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    refuse(place, `the following directives don't match any configuration option: ${unknown.join(", ")}`);
  return value;
}

function text(value: unknown, place: string): string {
  return typeof value === "string" && value !== "" ? value : refuse(place, "must be a string that is not empty");
}

function absolute(value: unknown, place: string): string {
  const path = text(value, place);
  return path.startsWith("/") ? path : refuse(place, `must be an absolute path: ${path}`);
}

function texts(value: unknown, place: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0) return refuse(place, "must be a list of strings that is not empty");
  return value.map((entry, index) => text(entry, `${place}[${index}]`));
}

function bytes(value: unknown, place: string): number {
  const size = typeof value === "string" ? ramInBytes(value) : value;
  return typeof size === "number" && Number.isSafeInteger(size) && size > 0
    ? size
    : refuse(place, "must be a size such as 10GB");
}

function flag(value: unknown, place: string): boolean {
  return value === undefined ? false : typeof value === "boolean" ? value : refuse(place, "must be true or false");
}

function socket(value: unknown, place: string): PolicySocket {
  const given = members(value, place, ["path", "group", "mode", "read-only", "container-labels", "endpoints"]);
  const mode = given["mode"] === undefined ? "0660" : text(given["mode"], `${place}.mode`);
  if (!/^0?[0-7]{3}$/.test(mode)) refuse(`${place}.mode`, `must be an octal mode such as "0660": ${mode}`);
  const policy: Policy = {
    readOnly: flag(given["read-only"], `${place}.read-only`),
    containerLabels: texts(given["container-labels"], `${place}.container-labels`),
    endpoints: texts(given["endpoints"], `${place}.endpoints`).map(
      (rule) =>
        parseEndpointRule(rule) ?? refuse(`${place}.endpoints`, `not of the form "GET /containers/{id}/json": ${rule}`),
    ),
  };
  if (!policy.readOnly && policy.containerLabels.length === 0 && policy.endpoints.length === 0)
    refuse(place, "a further socket needs a policy: read-only, container-labels or endpoints");
  return {
    path: absolute(given["path"], `${place}.path`),
    group: given["group"] === undefined ? "" : text(given["group"], `${place}.group`),
    mode: Number.parseInt(mode, 8),
    policy,
  };
}

/**
 * Reads the engine's own keys.
 * @param where the object's place in its file; empty for a whole file
 * @throws InvalidArgument naming the place of what is wrong
 */
export function checkEngineKeys(value: unknown, where = ""): AccessConfig {
  const given = members(value, where, ["sockets", "audit-log", "max-unpacked-size"]);
  const place = (key: string): string => (where === "" ? key : `${where}.${key}`);
  const { sockets: list = [], "audit-log": log, "max-unpacked-size": size } = given;
  if (!Array.isArray(list)) return refuse(place("sockets"), "must be a list");
  const sockets = list.map((entry: unknown, index) => socket(entry, `${place("sockets")}[${index}]`));
  return {
    sockets,
    ...(size === undefined ? {} : { maxUnpacked: bytes(size, place("max-unpacked-size")) }),
    ...(log === undefined ? {} : { audit: auditLog(log, place("audit-log")) }),
  };
}

function auditLog(value: unknown, place: string): { path: string; reads: boolean } {
  const { path, reads } = members(value, place, ["path", "reads"]);
  return { path: absolute(path, `${place}.path`), reads: flag(reads, `${place}.reads`) };
}

/** Keys that both say something of. */
export function bothGive(one: AccessConfig, other: AccessConfig): string[] {
  const given = ({ sockets, audit, maxUnpacked }: AccessConfig): [string, boolean][] => [
    ["sockets", sockets.length > 0],
    ["audit-log", audit !== undefined],
    ["max-unpacked-size", maxUnpacked !== undefined],
  ];
  const others = new Map(given(other));
  return given(one).flatMap(([key, there]) => (there && others.get(key) === true ? [key] : []));
}
