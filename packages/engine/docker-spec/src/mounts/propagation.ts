import type { Propagation } from "@longshore/docker-api";
import { Unknown } from "@longshore/errdefs";
import { type MountInfo, readMountInfo } from "@longshore/sys";

/** The mount on which `path` lies: the last one whose mount point is the longest prefix. */
function mountOf(mounts: MountInfo[], path: string): MountInfo | undefined {
  let best: MountInfo | undefined;
  for (const mount of mounts) {
    const inside = mount.mountPoint === "/" || path === mount.mountPoint || path.startsWith(`${mount.mountPoint}/`);
    if (inside && mount.mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount;
  }
  return best;
}

/**
 * Refuses a propagation that the source's mount cannot give: what the host does not share cannot
 * be passed on.
 * @throws Unknown `path /x is mounted on / but it is not a shared mount`
 */
export async function checkPropagation(
  source: string,
  propagation: Propagation | "",
  mountInfo?: string,
): Promise<void> {
  const shared = propagation === "shared" || propagation === "rshared";
  const slave = propagation === "slave" || propagation === "rslave";
  if (!shared && !slave) return;
  const mounts = readMountInfo(mountInfo);
  const mount = mountOf(mounts, source);
  const words = mount?.optional ?? [];
  const isShared = words.some((word) => word.startsWith("shared:"));
  const isSlave = words.some((word) => word.startsWith("master:"));
  if (isShared || (slave && isSlave)) return;
  throw new Unknown(
    `path ${source} is mounted on ${mount?.mountPoint ?? "/"} but it is not a shared${slave ? " or slave" : ""} mount`,
  );
}
