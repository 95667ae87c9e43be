import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { Any } from "@bufbuild/protobuf/wkt";
import { Unknown } from "@longshore/errdefs";
import { unpackAny } from "@longshore/proto";
import { CheckpointOptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import type { Container } from "./container.ts";
import { RuntimeError } from "../runc/runc.ts";

/**
 * Asks the runtime for a checkpoint (CRIU) in `path`; the answer is what it says.
 * @throws Unknown with the first line of that and where criu's log was kept, as the runc shim does
 */
export async function checkpoint(container: Container, path: string, any: Any | undefined): Promise<void> {
  const options = unpackAny(any, CheckpointOptionsSchema);
  const args = ["--image-path", path];
  const work = options?.workPath || container.options.criuWorkPath;
  if (work) args.push("--work-path", work);
  if (options?.parentPath) args.push("--parent-path", options.parentPath);
  if (options?.openTcp) args.push("--tcp-established");
  if (options?.externalUnixSockets) args.push("--ext-unix-sk");
  if (options?.terminal) args.push("--shell-job");
  if (options?.fileLocks) args.push("--file-locks");
  if (options?.cgroupsMode) args.push("--manage-cgroups-mode", options.cgroupsMode);
  for (const namespace of options?.emptyNamespaces ?? []) args.push("--empty-ns", namespace);
  if (options?.exit !== true) args.push("--leave-running");
  try {
    await container.runc.run("OCI runtime checkpoint failed", ["checkpoint", ...args, container.id]);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.status === undefined) throw error;
    const kept = join(container.bundle, "criu-dump.log");
    const written = join(work || path, "dump.log");
    if (existsSync(written)) copyFileSync(written, kept);
    throw new Unknown(
      `${container.options.binary} did not terminate successfully: exit status ${error.status}: ${error.detail.split("\n")[0]} path= ${kept}`,
      { cause: error },
    );
  }
}
