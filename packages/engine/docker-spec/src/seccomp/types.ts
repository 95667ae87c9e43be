import type { runtime } from "@longshore/oci";

/** When a rule counts; every member that is present must hold. */
export interface SeccompCondition {
  /** `CAP_X` forms; for `includes` all of them, for `excludes` any. */
  caps?: string[] | null;
  /** Go's architecture names. */
  arches?: string[] | null;
  /** `major.minor` */
  minKernel?: string;
}

export interface SeccompRule {
  /** The old form of `names`. */
  name?: string;
  names?: string[] | null;
  action?: string;
  errnoRet?: number;
  args?: Partial<runtime.LinuxSeccompArg>[] | null;
  comment?: string;
  includes?: SeccompCondition;
  excludes?: SeccompCondition;
}

/** A profile in Docker's JSON format: an OCI one with conditions and a map of architectures. */
export interface SeccompProfile {
  defaultAction?: string;
  defaultErrnoRet?: number;
  architectures?: string[] | null;
  archMap?: { architecture?: string; subArchitectures?: string[] | null }[] | null;
  flags?: string[] | null;
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls?: SeccompRule[] | null;
}

/** What conditions are tested against. */
export interface SeccompSubject {
  /** Go's architecture name. */
  arch: string;
  kernelVersion: readonly [number, number];
  /** The bounding set. */
  capabilities: readonly string[];
}
