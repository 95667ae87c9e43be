import { InvalidArgument } from "@longshore/errdefs";
import { parseEndpointRule, type Policy } from "../access/policy.ts";
import { isObject } from "./json.ts";
import { parseBytes } from "./values.ts";

/** A further socket of the engine, with less rights than its own. */
interface PolicySocket {
  path: string;
  group: string;
  mode: number;
  policy: Policy;
}

/** The key `longshore` of daemon.json: what Docker has no key for. All of it is off unless asked for. */
export interface AccessConfig {
  sockets: PolicySocket[];
  audit?: { path: string; reads: boolean };
  /** Bytes that an archive put into a container may unpack to; absent: as many as the disk has. */
  maxUnpacked?: number;
}

const where = "longshore";

function refuse(place: string, reason: string): never {
  throw new InvalidArgument(`invalid JSON: ${place}: ${reason}`);
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
  const size = typeof value === "string" ? parseBytes(value) : value;
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

/** Reads the key `longshore` of daemon.json. @throws InvalidArgument naming the place of what is wrong */
export function checkAccess(value: unknown): AccessConfig {
  const given = members(value, where, ["sockets", "audit-log", "max-unpacked-size"]);
  const list = given["sockets"] ?? [];
  if (!Array.isArray(list)) refuse(`${where}.sockets`, "must be a list");
  const sockets = (list as unknown[]).map((entry, index) => socket(entry, `${where}.sockets[${index}]`));
  const limits =
    given["max-unpacked-size"] === undefined
      ? {}
      : { maxUnpacked: bytes(given["max-unpacked-size"], `${where}.max-unpacked-size`) };
  if (given["audit-log"] === undefined) return { sockets, ...limits };
  const audit = members(given["audit-log"], `${where}.audit-log`, ["path", "reads"]);
  return {
    sockets,
    ...limits,
    audit: {
      path: absolute(audit["path"], `${where}.audit-log.path`),
      reads: flag(audit["reads"], `${where}.audit-log.reads`),
    },
  };
}
