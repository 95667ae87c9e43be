import type { Mount } from "@longshore/docker-api";
import { InvalidArgument, Unknown } from "@longshore/errdefs";
import { isPropagation } from "./modes.ts";

/** Mount flags by the kernel flag that they set or clear: the last one of a group counts. */
const flagGroups: Record<string, string> = {
  ro: "ro",
  rw: "ro",
  suid: "suid",
  nosuid: "suid",
  dev: "dev",
  nodev: "dev",
  exec: "exec",
  noexec: "exec",
  sync: "sync",
  async: "sync",
  dirsync: "dirsync",
  remount: "remount",
  mand: "mand",
  nomand: "mand",
  atime: "atime",
  noatime: "atime",
  diratime: "diratime",
  nodiratime: "diratime",
  bind: "bind",
  rbind: "rbind",
  unbindable: "propagation",
  runbindable: "propagation",
  relatime: "relatime",
  norelatime: "relatime",
  strictatime: "strictatime",
  nostrictatime: "strictatime",
};

const dataKeys = new Set(["mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "size"]);

/**
 * Removes the options that a later one of the same kind overrides; the order of the rest stays.
 * @throws Unknown `invalid tmpfs option "x"`
 */
export function mergeTmpfsOptions(options: readonly string[]): string[] {
  const seen = new Set<string>();
  const merged: string[] = [];
  for (const option of options.toReversed()) {
    if (option === "defaults") continue;
    const group = isPropagation(option)
      ? "propagation"
      : Object.hasOwn(flagGroups, option)
        ? flagGroups[option]
        : undefined;
    const name = option.split("=", 1)[0] ?? "";
    if (group === undefined && !(option.includes("=") && dataKeys.has(name))) {
      throw new Unknown(`invalid tmpfs option ${JSON.stringify(name)}`);
    }
    const key = group ?? `${name}=`;
    if (seen.has(key)) continue;
    seen.add(key);
    merged.unshift(option);
  }
  return merged;
}

const sizeUnits: [string, number][] = [
  ["g", 2 ** 30],
  ["m", 2 ** 20],
  ["k", 2 ** 10],
];

/**
 * The options of a `--mount type=tmpfs` as mount(8) takes them.
 * @throws InvalidArgument `invalid option: x` for extra options other than exec and noexec
 */
export function tmpfsMountOptions(mount: Mount): string[] {
  const { SizeBytes: size = 0, Mode: mode = 0, Options: extra = [] } = mount.TmpfsOptions ?? {};
  const options: string[] = [];
  if (mount.ReadOnly === true) options.push("ro");
  if (mode !== 0) options.push(`mode=${mode.toString(8)}`);
  if (size !== 0) {
    const unit = sizeUnits.find(([, bytes]) => size % bytes === 0);
    options.push(unit === undefined ? `size=${size}` : `size=${size / unit[1]}${unit[0]}`);
  }
  for (const given of extra) {
    const words = given ?? [];
    const [name = ""] = words;
    if (words.length !== 1 && words.length !== 2) throw new InvalidArgument("invalid option array length");
    if (name !== "exec" && name !== "noexec") throw new InvalidArgument(`invalid option: ${name}`);
    options.push(words.join("="));
  }
  return options;
}
