import type { Given } from "./flags.ts";
import { keyOf, type Option, options } from "./options.ts";

/** Mapping root to itself is none, for dockerd too. */
const noMapping: readonly unknown[] = ["root", "root:root", "0", "0:0"];

function saysNothing(value: unknown, { flag, fallback }: Option): boolean {
  if (value === undefined || value === fallback || (flag === "userns-remap" && noMapping.includes(value))) return true;
  if (Array.isArray(value)) return value.every((each) => each === "");
  return value !== null && typeof value === "object" && Object.keys(value).length === 0;
}

/** Storage drivers that Docker has, beside the one that is served under two names. */
const otherDrivers: readonly unknown[] = ["btrfs", "fuse-overlayfs", "native", "vfs", "zfs"];

/**
 * What a configuration asks for that is not served, by name and with what is done instead.
 * @param ignored keys of daemon.json that have no effect
 */
export function warningsOf(given: Given, ignored: readonly string[]): string[] {
  const list = options.flatMap((option) => {
    const value = given.get(option.flag);
    return option.unserved === undefined || saysNothing(value, option)
      ? []
      : [`${keyOf(option) ?? option.flag} is not served: ${option.unserved}`];
  });
  const driver = given.get("storage-driver");
  if (otherDrivers.includes(driver)) list.push(`storage-driver ${String(driver)} is not served: overlayfs is used`);
  const features = (given.get("feature") ?? {}) as Record<string, boolean>;
  if (features["containerd-snapshotter"] === false)
    list.push("the feature containerd-snapshotter cannot be off: images are always kept by containerd");
  if (features["cdi"] === true)
    list.push("the feature cdi is not served: a container that asks for a device by CDI is refused");
  for (const key of ignored) list.push(`${key} in daemon.json has no effect: it is the name of a flag, not of a key`);
  return list;
}

/** Whether a storage driver is one that Docker knows. */
export function isStorageDriver(name: string): boolean {
  return ["", "overlay2", "overlayfs", ...otherDrivers].includes(name);
}
