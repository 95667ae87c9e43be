import { isIP } from "node:net";
import { InvalidArgument } from "@longshore/errdefs";
import { int, list, struct, text } from "@longshore/go-json";
import { decodeMember, type Kind, kind } from "./kind.ts";
import { readTexts } from "./lists.ts";
import { type AddressPool, parseAddr, parseIp, parsePool, parseSliceIp } from "./texts.ts";

type Parser = "net.IP" | "netip.Addr";

function checkAddress(value: string, parser: Parser): string {
  if (value === "" || isIP(value.split("%", 1)[0] ?? "") !== 0) return value;
  throw new InvalidArgument(
    `invalid JSON: ${parser === "net.IP" ? `invalid IP address: ${value}` : `ParseAddr(${JSON.stringify(value)}): unable to parse IP`}`,
  );
}

const anyText = kind<string>("ip", { shape: text, parse: parseIp });

export const address: Kind<string> = {
  ...anyText,
  read: (value, path) => checkAddress(anyText.read(value, path) ?? "", "net.IP"),
};

function addresses(placeholder: string, parser: Parser, parse: (text: string) => string[]): Kind<string[]> {
  return {
    placeholder,
    parse: (given, before = []) => [...before, ...parse(given)],
    read: (value, path) =>
      readTexts(value, path)
        .map((each) => checkAddress(each, parser))
        .filter((each) => each !== ""),
  };
}

/** Addresses of which one flag may give several. */
export const ipSlice = addresses("ipSlice", "net.IP", (given) => given.split(",").map(parseSliceIp));

/** Addresses, one in each flag. */
export const addressList = addresses("list", "netip.Addr", (given) => [parseAddr(given)]);

/** What one value under an older key of `addressList` says. */
export function readFormerAddress(value: unknown, path: readonly string[]): string[] {
  return [checkAddress(decodeMember(path, text, value) ?? "", "net.IP")];
}

const pool = struct("ipamutils.NetworkToSplit", { base: text, size: int });

/** Of a pool as Docker reads one. */
function prefix({ base, size }: Partial<AddressPool>): AddressPool {
  const [, ip, bits] = /^(.*)\/(\d{1,3})$/.exec(base ?? "") ?? [];
  const refuse = (reason: string): never => {
    throw new InvalidArgument(`invalid JSON: netip.ParsePrefix(${JSON.stringify(base)}): ${reason}`);
  };
  if (base !== undefined && base !== "" && ip === undefined) refuse("no '/'");
  if (ip !== undefined && isIP(ip) === 0) refuse(`ParseAddr(${JSON.stringify(ip)}): unable to parse IP`);
  if (Number(bits) > (isIP(ip ?? "") === 4 ? 32 : 128)) refuse("prefix length out of range");
  return { base: base ?? "", size: size ?? 0 };
}

export const pools: Kind<AddressPool[]> = {
  placeholder: "pool-options",
  parse: (given, before = []) => [...before, parsePool(given)],
  read: (value, path) =>
    (decodeMember(path, list(pool, "[]*ipamutils.NetworkToSplit"), value) ?? []).map((each) => prefix(each ?? {})),
};
