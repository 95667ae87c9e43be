import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { FailedPrecondition } from "@longshore/errdefs";
import { LOCK, flock } from "@longshore/sys";

/**
 * Keeps a second daemon from the same directory; the kernel lets go when this process ends, however it does.
 * @returns gives the directory up
 * @throws FailedPrecondition when another process has it
 */
export function lockDirectory(path: string): () => void {
  const file = join(path, "containerd.lock");
  const fd = openSync(file, "a", 0o600);
  try {
    flock(fd, LOCK.EX | LOCK.NB);
  } catch (error) {
    closeSync(fd);
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    throw new FailedPrecondition(`another containerd uses ${path}`, { cause: error });
  }
  return () => closeSync(fd);
}
