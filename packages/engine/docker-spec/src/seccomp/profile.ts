import { Unknown, messageOf } from "@longshore/errdefs";
import { exactUint64, list, named, parseWhole, type Shape, struct, text, unmarshal } from "@longshore/go-json";
import { parseInteger } from "@longshore/go-values";
import type { SeccompProfile } from "./types.ts";

const uint: Shape = { kind: "int", go: "uint" };
const arch = named("specs.Arch");
const action = named("specs.LinuxSeccompAction");

/** Reads `4.8`. @throws Error with the real engine's words */
function kernelVersion(value: unknown): string | undefined {
  const shown = typeof value === "object" ? "" : JSON.stringify(value);
  const invalid = (why: string, cause?: unknown): Error =>
    new Error(`invalid kernel version: ${shown}, expected "<kernel>.<major>"${why}`, { cause });
  let version: string;
  try {
    version = unmarshal(text, value) as string;
  } catch (error) {
    throw invalid(`: ${messageOf(error)}`, error);
  }
  if (version === "") return undefined;
  const parts = version.split(".");
  if (parts.length !== 2) throw invalid("");
  for (const part of parts) {
    try {
      parseInteger(part, "ParseUint", 8);
    } catch (error) {
      throw invalid(`: ${messageOf(error)}`, error);
    }
  }
  if (parts.every((part) => Number(part) === 0)) throw invalid(": version cannot be 0.0");
  return version;
}

const filter = struct("seccomp.Filter", {
  caps: list(text),
  arches: list(text),
  minKernel: { kind: "own", go: "seccomp.KernelVersion", read: kernelVersion },
});

const syscall = struct("*seccomp.Syscall", {
  names: list(text),
  action,
  errnoRet: uint,
  args: list(
    struct("specs.LinuxSeccompArg", {
      index: uint,
      value: exactUint64,
      valueTwo: exactUint64,
      op: named("specs.LinuxSeccompOperator"),
    }),
  ),
  name: text,
  comment: text,
  includes: filter,
  excludes: filter,
});

const profile = struct("seccomp.Seccomp", {
  defaultAction: action,
  defaultErrnoRet: uint,
  architectures: list(arch),
  flags: list(named("specs.LinuxSeccompFlag")),
  listenerPath: text,
  listenerMetadata: text,
  archMap: list(struct("seccomp.Architecture", { architecture: arch, subArchitectures: list(arch) })),
  syscalls: list(syscall),
});

/** Reads a profile in Docker's format. @throws Unknown when the text is none, with the real engine's words */
export function parseSeccompProfile(json: string): SeccompProfile {
  try {
    return (unmarshal(profile, parseWhole(json)) ?? {}) as SeccompProfile;
  } catch (error) {
    throw new Unknown(`Decoding seccomp profile failed: ${messageOf(error)}`, { cause: error });
  }
}
