import { existsSync } from "node:fs";
import { join } from "node:path";
import { FailedPrecondition } from "@longshore/errdefs";

/** What Docker's own daemon makes below its data root, and this one never does. */
const docker = ["buildkit", "image", "overlay2", "swarm", join("network", "files", "local-kv.db")];
/** What this engine makes before all else. */
const ours = "engine.lock";

/**
 * Keeps away from the data root of Docker: its containers and images lie in stores that are read by nobody here, and its
 * daemon would not find its own things again.
 * @throws FailedPrecondition that names the folder
 */
export function refuseDockerRoot(dataRoot: string): void {
  if (existsSync(join(dataRoot, ours))) return;
  const found = docker.find((name) => existsSync(join(dataRoot, name)));
  if (found === undefined) return;
  throw new FailedPrecondition(
    `failed to start daemon: ${dataRoot} is a data root of Docker (it has ${join(dataRoot, found)}), which is left untouched: name another folder by data-root`,
  );
}
