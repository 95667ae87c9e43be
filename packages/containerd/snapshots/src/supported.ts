import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDiskFull } from "@longshore/atomicfile";
import { FailedPrecondition, messageOf } from "@longshore/errdefs";
import { mountAll, unmountAll } from "@longshore/sys";

/** Whether overlayfs knows the `index` option; off, layers may be shared by several mounts. */
export function supportsIndex(): boolean {
  return existsSync("/sys/module/overlay/parameters/index");
}

/**
 * Mounts a small overlay to see that the kernel and the file system below `root` can.
 * @throws FailedPrecondition
 */
export function checkOverlaySupport(root: string): void {
  const folder = join(root, "overlay-check");
  const at = (name: string): string => join(folder, name);
  try {
    // Of a start that was killed at this.
    if (existsSync(at("merged"))) unmountAll(at("merged"));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const name of ["lower1", "lower2", "upper", "work", "merged"]) mkdirSync(at(name));
    const options = [`lowerdir=${at("lower2")}:${at("lower1")}`, `upperdir=${at("upper")}`, `workdir=${at("work")}`];
    mountAll([{ type: "overlay", source: "overlay", options }], at("merged"));
    unmountAll(at("merged"));
  } catch (error) {
    // Nothing can be said on a full disk; what it holds was made with overlayfs.
    if (isDiskFull(error)) return;
    throw new FailedPrecondition(`overlayfs is not supported on ${root}: ${messageOf(error)}: failed precondition`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
