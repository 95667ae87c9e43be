import { Unknown } from "@longshore/errdefs";
import type { runtime } from "@longshore/oci";
import type { SeccompCondition, SeccompProfile, SeccompRule, SeccompSubject } from "./types.ts";

const nativeArchitectures: Record<string, string> = {
  amd64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
  arm: "SCMP_ARCH_ARM",
  "386": "SCMP_ARCH_X86",
  ppc64le: "SCMP_ARCH_PPC64LE",
  riscv64: "SCMP_ARCH_RISCV64",
  s390x: "SCMP_ARCH_S390X",
  mips64le: "SCMP_ARCH_MIPSEL64",
};

/**
 * The OCI filter that a profile means for this container.
 * @throws Unknown for profiles that use both forms of a member
 */
export function evaluateSeccomp(profile: SeccompProfile, subject: SeccompSubject): runtime.LinuxSeccomp {
  const seccomp: runtime.LinuxSeccomp = { defaultAction: profile.defaultAction ?? "" };
  if (profile.defaultErrnoRet !== undefined) seccomp.defaultErrnoRet = profile.defaultErrnoRet;
  const architectures = architecturesOf(profile, subject.arch);
  if (architectures.length > 0) seccomp.architectures = architectures;
  if (profile.flags && profile.flags.length > 0) seccomp.flags = profile.flags;
  if (profile.listenerPath) seccomp.listenerPath = profile.listenerPath;
  if (profile.listenerMetadata) seccomp.listenerMetadata = profile.listenerMetadata;
  const syscalls = (profile.syscalls ?? []).flatMap((rule) => syscallOf(rule, subject));
  if (syscalls.length > 0) seccomp.syscalls = syscalls;
  return seccomp;
}

function architecturesOf(profile: SeccompProfile, arch: string): string[] {
  const given = profile.architectures ?? [];
  const map = profile.archMap ?? [];
  if (given.length > 0 && map.length > 0) {
    throw new Unknown(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  if (given.length > 0) return given;
  const native = nativeArchitectures[arch];
  const entry = map.find(({ architecture }) => architecture === native);
  return native === undefined || entry === undefined ? [] : [native, ...(entry.subArchitectures ?? [])];
}

function syscallOf(rule: SeccompRule, subject: SeccompSubject): runtime.LinuxSyscall[] {
  if (rule.name && rule.names && rule.names.length > 0) {
    throw new Unknown("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  }
  if (excluded(rule.excludes, subject) || !included(rule.includes, subject)) return [];
  const syscall: runtime.LinuxSyscall = {
    names: rule.name ? [rule.name] : (rule.names ?? []),
    action: rule.action ?? "",
  };
  if (rule.errnoRet !== undefined) syscall.errnoRet = rule.errnoRet;
  if (rule.args && rule.args.length > 0) {
    syscall.args = rule.args.map((argument) => ({ index: 0, value: 0, op: "", ...argument }));
  }
  return [syscall];
}

function excluded(condition: SeccompCondition | undefined, subject: SeccompSubject): boolean {
  if (condition === undefined) return false;
  return (
    (condition.arches?.includes(subject.arch) ?? false) ||
    (condition.caps?.some((cap) => subject.capabilities.includes(cap)) ?? false) ||
    (condition.minKernel !== undefined && reaches(subject.kernelVersion, condition.minKernel))
  );
}

function included(condition: SeccompCondition | undefined, subject: SeccompSubject): boolean {
  if (condition === undefined) return true;
  const { arches, caps, minKernel } = condition;
  return (
    (!arches || arches.length === 0 || arches.includes(subject.arch)) &&
    (caps ?? []).every((cap) => subject.capabilities.includes(cap)) &&
    (minKernel === undefined || reaches(subject.kernelVersion, minKernel))
  );
}

/** @param wanted `major.minor` */
function reaches([major, minor]: readonly [number, number], wanted: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
