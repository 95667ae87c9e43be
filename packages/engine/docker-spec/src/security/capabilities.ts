import { InvalidArgument } from "@longshore/errdefs";

/** What a container that asks for nothing may do. */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** Linux's capabilities by number (linux/capability.h). */
export const knownCapabilities: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
  SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
  MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

const all = "ALL";

/**
 * `CAP_X` (or `ALL`) forms of names as users write them: any case, with or without the prefix.
 * @throws InvalidArgument for a name that Linux does not know, or this kernel does not have
 */
export function normalizeCapabilities(names: readonly string[], available: readonly string[]): string[] {
  return names.map((name) => {
    const upper = name.toUpperCase();
    if (upper === all) return upper;
    const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
    if (!knownCapabilities.includes(full)) throw new InvalidArgument(`unknown capability: "${full}"`);
    if (!available.includes(full)) {
      throw new InvalidArgument(
        `capability not supported by your kernel or not available in the current environment: "${full}"`,
      );
    }
    return full;
  });
}

/** The capabilities of a container: `ALL` in `add` starts from all, `ALL` in `drop` from none. */
export function tweakCapabilities(options: {
  add: readonly string[];
  drop: readonly string[];
  privileged: boolean;
  available: readonly string[];
}): string[] {
  const { available, privileged } = options;
  if (privileged) return [...available];
  const add = normalizeCapabilities(options.add, available);
  const drop = normalizeCapabilities(options.drop, available);
  if (add.includes(all)) return available.filter((cap) => !drop.includes(cap));
  if (drop.includes(all)) return [...new Set(add)];
  return [...new Set([...defaultCapabilities.filter((cap) => !drop.includes(cap)), ...add])];
}
