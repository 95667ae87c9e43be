import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { posix } from "node:path";
import type { DeviceMapping, HostConfig } from "@longshore/docker-api";
import { Unknown, messageOf } from "@longshore/errdefs";
import type { runtime } from "@longshore/oci";

/** Major and minor of a `st_rdev` or `st_dev` in the kernel's 64-bit form. */
export function deviceNumber(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  };
}

/** The device node at `path`, links not followed; undefined for anything else. @throws as lstat does */
async function deviceAt(path: string): Promise<runtime.LinuxDevice | undefined> {
  const info = await lstat(path);
  const type = info.isBlockDevice() ? "b" : info.isCharacterDevice() ? "c" : undefined;
  if (type === undefined) return undefined;
  return { path, type, ...deviceNumber(info.rdev), fileMode: info.mode & 0o777, uid: info.uid, gid: info.gid };
}

/** All device nodes below a directory in the order of their names; nodes that vanish are left out. */
async function devicesBelow(directory: string, skip: (name: string) => boolean): Promise<runtime.LinuxDevice[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const devices: runtime.LinuxDevice[] = [];
  for (const entry of entries) {
    if (skip(entry.name)) continue;
    const path = posix.join(directory, entry.name);
    if (entry.isDirectory()) {
      devices.push(...(await devicesBelow(path, skip)));
    } else {
      const device = await deviceAt(path).catch(() => undefined);
      if (device !== undefined) devices.push(device);
    }
  }
  return devices;
}

/** What a container has of its own even when it is privileged. */
const ownDirectories = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]);

/** Every device of the host, for privileged containers. */
function hostDevices(root = "/dev"): Promise<runtime.LinuxDevice[]> {
  return devicesBelow(root, (name) => ownDirectories.has(name));
}

/** The devices of one `--device`: a node (links followed), or all nodes below a directory. */
async function mappedDevices({ PathOnHost, PathInContainer }: DeviceMapping): Promise<runtime.LinuxDevice[]> {
  const fail = (reason: string, cause?: unknown): Unknown =>
    new Unknown(`error gathering device information while adding custom device "${PathOnHost}": ${reason}`, { cause });
  try {
    const path = await realpath(PathOnHost);
    const device = await deviceAt(path);
    if (device !== undefined) return [{ ...device, path: PathInContainer }];
    const devices = (await stat(path)).isDirectory() ? await devicesBelow(path, () => false) : [];
    if (devices.length === 0) throw fail("not a device node");
    return devices.map((found) => ({ ...found, path: found.path.replace(path, () => PathInContainer) }));
  } catch (error) {
    if (error instanceof Unknown) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw fail(code === "ENOENT" ? "no such file or directory" : messageOf(error), error);
  }
}

const character = (major: number, minor: number, allow = true): runtime.LinuxDeviceCgroup => ({
  allow,
  type: "c",
  major,
  minor,
  access: "rwm",
});

/** zero, null, urandom, random, tty and console; fuse is refused; the runtime adds its own. */
const defaultRules: readonly runtime.LinuxDeviceCgroup[] = [
  { allow: false, access: "rwm" },
  character(1, 5),
  character(1, 3),
  character(1, 9),
  character(1, 8),
  character(5, 0),
  character(5, 1),
  character(10, 229, false),
];

const rulePattern = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;

/** Parses `--device-cgroup-rule`: `c 42:* rmw`. @throws Unknown `invalid device cgroup rule format: '…'` */
function parseDeviceCgroupRule(rule: string): runtime.LinuxDeviceCgroup {
  const match = rulePattern.exec(rule);
  if (match === null) throw new Unknown(`invalid device cgroup rule format: '${rule}'`);
  const [, type = "", major = "", minor = "", access = ""] = match;
  const number = (text: string): number => (text === "*" ? -1 : Number(text));
  return { allow: true, type, major: number(major), minor: number(minor), access };
}

/**
 * The devices of a container and the cgroup's rules about devices.
 * @throws Unknown with the real engine's messages
 */
export async function devicesOf(
  hostConfig: Pick<HostConfig, "Privileged" | "Devices" | "DeviceCgroupRules">,
): Promise<{ devices: runtime.LinuxDevice[]; rules: runtime.LinuxDeviceCgroup[] }> {
  const mappings = hostConfig.Devices ?? [];
  if (hostConfig.Privileged) {
    const devices = await hostDevices();
    for (const mapping of mappings) {
      if (mapping.PathOnHost !== mapping.PathInContainer) devices.push(...(await mappedDevices(mapping)));
    }
    return { devices, rules: [...defaultRules, { allow: true, access: "rwm" }] };
  }
  const devices: runtime.LinuxDevice[] = [];
  const rules: runtime.LinuxDeviceCgroup[] = [...defaultRules];
  for (const mapping of mappings) {
    for (const device of await mappedDevices(mapping)) {
      const { type, major, minor } = device;
      devices.push(device);
      rules.push({ allow: true, type, major, minor, access: mapping.CgroupPermissions });
    }
  }
  rules.push(...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceCgroupRule));
  return { devices, rules };
}
