import { InvalidArgument } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import type { Query } from "../server/query.ts";

/** `linux/arm64/v8`; `undefined` when empty. @throws InvalidArgument */
export function parsePlatform(text: string): Platform | undefined {
  if (text === "") return undefined;
  const [os = "", architecture, variant, ...rest] = text.split("/");
  if (rest.length > 0 || !/^[A-Za-z0-9_.-]+$/.test(os)) throw new InvalidArgument(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
  if (architecture === undefined) return /^(linux|windows|darwin|freebsd)$/.test(os) ? { os, architecture: "amd64" } : { os: "linux", architecture: os };
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

function dimension(query: Query, name: "h" | "w", word: string): number {
  const text = query.get(name);
  if (!/^\d+$/.test(text)) throw new InvalidArgument(`invalid resize ${word} "${text}": invalid syntax`);
  if (Number(text) > 0xffffffff) throw new InvalidArgument(`invalid resize ${word} "${text}": value out of range`);
  return Number(text);
}

/** Height and width of a terminal. @throws InvalidArgument */
export function parseSize(query: Query): [number, number] {
  return [dimension(query, "h", "height"), dimension(query, "w", "width")];
}
