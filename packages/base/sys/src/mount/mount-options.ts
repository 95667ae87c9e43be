import { MOUNT_ATTR, MS } from "../constants.ts";

/** What a list of mount options asks of the kernel. */
export interface ParsedMountOptions {
  /** MS flags for the mount itself. */
  flags: number;
  /** Propagation changes, applied one by one after the mount. */
  propagation: number[];
  /** MOUNT_ATTR flags that hold for the whole tree (`rro` and its like). */
  recursiveAttributes: number;
  /** The file system's own options, in order. */
  data: string[];
}

const set: Record<string, number> = {
  bind: MS.BIND,
  rbind: MS.BIND | MS.REC,
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
  sync: MS.SYNCHRONOUS,
  dirsync: MS.DIRSYNC,
  remount: MS.REMOUNT,
  mand: MS.MANDLOCK,
  noatime: MS.NOATIME,
  nodiratime: MS.NODIRATIME,
  relatime: MS.RELATIME,
  strictatime: MS.STRICTATIME,
  lazytime: MS.LAZYTIME,
  iversion: MS.I_VERSION,
  silent: MS.SILENT,
  nosymfollow: MS.NOSYMFOLLOW,
  acl: MS.POSIXACL,
};

const clear: Record<string, number> = {
  rw: MS.RDONLY,
  suid: MS.NOSUID,
  dev: MS.NODEV,
  exec: MS.NOEXEC,
  async: MS.SYNCHRONOUS,
  nomand: MS.MANDLOCK,
  atime: MS.NOATIME,
  diratime: MS.NODIRATIME,
  norelatime: MS.RELATIME,
  nostrictatime: MS.STRICTATIME,
  nolazytime: MS.LAZYTIME,
  noiversion: MS.I_VERSION,
  loud: MS.SILENT,
  symfollow: MS.NOSYMFOLLOW,
  noacl: MS.POSIXACL,
};

const propagation: Record<string, number> = {
  private: MS.PRIVATE,
  rprivate: MS.PRIVATE | MS.REC,
  shared: MS.SHARED,
  rshared: MS.SHARED | MS.REC,
  slave: MS.SLAVE,
  rslave: MS.SLAVE | MS.REC,
  unbindable: MS.UNBINDABLE,
  runbindable: MS.UNBINDABLE | MS.REC,
};

const recursive: Record<string, number> = {
  rro: MOUNT_ATTR.RDONLY,
  rnosuid: MOUNT_ATTR.NOSUID,
  rnodev: MOUNT_ATTR.NODEV,
  rnoexec: MOUNT_ATTR.NOEXEC,
};

/** Sorts options in the wording of mount(8) and containerd; later ones win over earlier ones. */
export function parseMountOptions(options: readonly string[]): ParsedMountOptions {
  const parsed: ParsedMountOptions = { flags: 0, propagation: [], recursiveAttributes: 0, data: [] };
  for (const option of options) {
    if (option === "" || option === "defaults" || option.startsWith("X-")) continue;
    if (Object.hasOwn(set, option)) parsed.flags |= set[option]!;
    else if (Object.hasOwn(clear, option)) parsed.flags &= ~clear[option]!;
    else if (Object.hasOwn(propagation, option)) parsed.propagation.push(propagation[option]!);
    else if (Object.hasOwn(recursive, option)) parsed.recursiveAttributes |= recursive[option]!;
    else parsed.data.push(option);
  }
  return parsed;
}
