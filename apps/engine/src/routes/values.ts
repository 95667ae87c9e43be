import { InvalidArgument } from "@longshore/errdefs";
import { quoteText } from "@longshore/go-values";
import type { Platform } from "@longshore/oci";
import type { Query } from "../server/query/query.ts";

const systems = new Set([
  "aix",
  "android",
  "darwin",
  "dragonfly",
  "freebsd",
  "hurd",
  "illumos",
  "ios",
  "js",
  "linux",
  "macos",
  "nacl",
  "netbsd",
  "openbsd",
  "plan9",
  "solaris",
  "windows",
  "zos",
]);
const architectures = new Set([
  "386",
  "aarch64",
  "amd64",
  "arm",
  "arm64",
  "armel",
  "armhf",
  "i386",
  "loong64",
  "mips",
  "mips64",
  "mips64le",
  "mipsle",
  "ppc",
  "ppc64",
  "ppc64le",
  "riscv",
  "riscv64",
  "s390",
  "s390x",
  "sparc",
  "sparc64",
  "wasm",
  "x86-64",
  "x86_64",
]);

const component = /^[A-Za-z0-9_.-]+$/;
const osAndVersion = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;

/** `linux/arm64/v8`, or a well-known system or architecture alone; `undefined` when empty. @throws InvalidArgument */
export function parsePlatform(text: string): Platform | undefined {
  if (text === "") return undefined;
  const quoted = JSON.stringify(text);
  const refuse = (why: string) => new InvalidArgument(`${why}: invalid argument`);
  if (text.includes("*")) throw refuse(`${quoted}: wildcards not yet supported`);
  const [system = "", architecture, variant, ...rest] = text.split("/");
  if (rest.length > 0) throw refuse(`${quoted}: cannot parse platform specifier`);
  const [, os = "", osVersion = ""] = osAndVersion.exec(system) ?? [];
  if (os === "")
    throw refuse(
      `${JSON.stringify(system)} is an invalid OS component of ${quoted}: OSAndVersion specifier component must match ${JSON.stringify(osAndVersion.source)}`,
    );
  const wrong = [architecture, variant].find((part) => part !== undefined && !component.test(part));
  if (wrong !== undefined)
    throw refuse(
      `${JSON.stringify(wrong)} is an invalid component of ${quoted}: platform specifier component must match ${JSON.stringify(component.source)}`,
    );
  const version =
    osVersion === ""
      ? {}
      : {
          "os.version": osVersion.replaceAll(/%([0-9a-fA-F]{2})/g, (_whole, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          ),
        };
  if (architecture !== undefined)
    return { os, architecture, ...version, ...(variant === undefined ? {} : { variant }) };
  if (systems.has(os.toLowerCase())) return { os, architecture: "amd64", ...version };
  if (architectures.has(os.toLowerCase())) return { os: "linux", architecture: os };
  throw refuse(`${quoted}: unknown operating system or architecture`);
}

function dimension(query: Query, name: "h" | "w", word: string): number {
  const text = query.get(name);
  const refuse = (why: string): InvalidArgument =>
    new InvalidArgument(`invalid resize ${word} ${quoteText(text)}: ${why}`);
  if (!/^-?\d+$/.test(text)) throw refuse("invalid syntax");
  if (text.startsWith("-") || Number(text) > 0xffffffff) throw refuse("value out of range");
  return Number(text);
}

/** Height and width of a terminal. @throws InvalidArgument */
export function parseSize(query: Query): [number, number] {
  return [dimension(query, "h", "height"), dimension(query, "w", "width")];
}
