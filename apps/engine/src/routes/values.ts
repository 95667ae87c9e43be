import { InvalidArgument } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import type { Query } from "../server/query.ts";

const systems = new Set(["aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "macos", "nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos"]);
const architectures = new Set(["386", "aarch64", "amd64", "arm", "arm64", "armel", "armhf", "i386", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm", "x86-64", "x86_64"]);

/** `linux/arm64/v8`, or a well-known system or architecture alone; `undefined` when empty. @throws InvalidArgument */
export function parsePlatform(text: string): Platform | undefined {
  if (text === "") return undefined;
  const [os = "", architecture, variant, ...rest] = text.split("/");
  const alone = architecture === undefined;
  if (rest.length > 0 || !/^[A-Za-z0-9_.-]+$/.test(os) || (alone && !systems.has(os.toLowerCase()) && !architectures.has(os.toLowerCase()))) {
    throw new InvalidArgument(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
  }
  if (alone) return systems.has(os.toLowerCase()) ? { os, architecture: "amd64" } : { os: "linux", architecture: os };
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
