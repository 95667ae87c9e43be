import { isIP } from "node:net";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { bool, decode, int, int64, list, map, type Shape, struct, text } from "@longshore/go-json";
import { checkAccess } from "./access-json.ts";
import { isObject } from "./json.ts";
import type { Option } from "./options.ts";
import { checkRuntimes } from "./runtimes-json.ts";
import { type AddressPool, parseBytes } from "./values.ts";

const pool = struct("ipamutils.NetworkToSplit", { base: text, size: int });
const ulimit = struct("units.Ulimit", { Name: text, Hard: int64, Soft: int64 });
const gcPolicy = struct("config.BuilderGCRule", { all: bool });
const builder = struct("config.BuilderConfig", {
  gc: struct("config.BuilderGCConfig", { enabled: bool, policy: list(gcPolicy) }),
  entitlements: struct("config.BuilderEntitlements", { "network-host": bool, "security-insecure": bool, device: bool }),
});

const shapes: Partial<Record<Option["kind"], Shape>> = {
  string: text,
  bool,
  int,
  int64,
  list: list(text),
  map: map(text),
  mapmap: map(map(text)),
  features: map(bool),
  ip: text,
  ips: list(text),
  pool: { ...list(pool), go: "[]*ipamutils.NetworkToSplit" } as Shape,
  ulimit: { ...map(ulimit), go: "map[string]*units.Ulimit" } as Shape,
  builder,
};

function bytes(value: unknown): number {
  const size = typeof value === "string" ? parseText(value) : value;
  if (typeof size !== "number" || !Number.isInteger(size) || size < 0)
    throw new InvalidArgument(`invalid JSON: invalid size: ${JSON.stringify(JSON.stringify(value))}`);
  return size;
}

function parseText(value: string): number {
  try {
    return parseBytes(value);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
  }
}

function address(value: string, parser: "net.IP" | "netip.Addr"): string {
  if (value === "" || isIP(value.split("%", 1)[0] ?? "") !== 0) return value;
  throw new InvalidArgument(
    `invalid JSON: ${parser === "net.IP" ? `invalid IP address: ${value}` : `ParseAddr(${JSON.stringify(value)}): unable to parse IP`}`,
  );
}

/** Of a pool as Docker reads one. */
function prefix({ base, size }: Partial<AddressPool>): AddressPool {
  const [, ip, bits] = /^(.*)\/(\d{1,3})$/.exec(base ?? "") ?? [];
  if (base !== undefined && base !== "" && ip === undefined)
    throw new InvalidArgument(`invalid JSON: netip.ParsePrefix(${JSON.stringify(base)}): no '/'`);
  if (ip !== undefined && isIP(ip) === 0)
    throw new InvalidArgument(
      `invalid JSON: netip.ParsePrefix(${JSON.stringify(base)}): ParseAddr(${JSON.stringify(ip)}): unable to parse IP`,
    );
  if (Number(bits) > (isIP(ip ?? "") === 4 ? 32 : 128))
    throw new InvalidArgument(`invalid JSON: netip.ParsePrefix(${JSON.stringify(base)}): prefix length out of range`);
  return { base: base ?? "", size: size ?? 0 };
}

/**
 * The value of an option in daemon.json; undefined when it says nothing.
 * @throws InvalidArgument with the text of dockerd's decoder
 */
export function readValue(option: Option, key: string, value: unknown): unknown {
  if (value === null) return undefined;
  if (option.kind === "runtime") return checkRuntimes(value);
  if (option.kind === "access") return checkAccess(value);
  if (option.kind === "bytes") return bytes(value);
  if (option.formerKey === key) return [address(decodeMember([key], text, value) as string, "net.IP")];
  const shape = shapes[option.kind];
  const read =
    shape === undefined
      ? value
      : decodeMember([...(option.under === undefined ? [] : [option.under]), key], shape, value);
  if ((option.kind === "int" || option.kind === "int64") && Math.abs(Number(read)) >= 2 ** 63) {
    throw new InvalidArgument(
      `invalid JSON: json: cannot unmarshal number ${String(value)} into Go struct field Config.${key} of type ${option.kind}`,
    );
  }
  const texts = (): string[] => ((read ?? []) as (string | undefined)[]).map((each) => each ?? "");
  switch (option.kind) {
    case "list":
      return texts();
    case "ip":
      return address(String(read ?? ""), "net.IP");
    case "ips":
      return texts()
        .map((each) => address(each, option.flag === "dns" ? "net.IP" : "netip.Addr"))
        .filter((each) => each !== "");
    case "pool":
      return ((read ?? []) as Partial<AddressPool>[]).map(prefix);
    case "ulimit":
      return Object.fromEntries(
        Object.entries(read as Record<string, object | null>).map(([name, limit]) => [
          name,
          { Name: name, Soft: 0, Hard: 0, ...limit },
        ]),
      );
    default:
      return read;
  }
}

/** One value, with the path that the decoder's errors name. */
function decodeMember(path: readonly string[], shape: Shape, value: unknown): unknown {
  const whole = path.toReversed().reduce<{ shape: Shape; value: unknown }>(
    (inner, name) => ({
      shape: struct("config.Config", { [name]: inner.shape }, "Config"),
      value: { [name]: inner.value },
    }),
    { shape, value },
  );
  const decoded = decode(whole.shape, whole.value);
  return path.reduce<unknown>((object, name) => (isObject(object) ? object[name] : undefined), decoded);
}
