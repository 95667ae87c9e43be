import { existsSync } from "node:fs";
import type { Any } from "@bufbuild/protobuf/wkt";
import { NotFound } from "@longshore/errdefs";
import { packAny } from "@longshore/proto";
import { type Cgroup, mainFolder } from "./cgroup.ts";

/** A container's metrics as containerd passes them on. The messages are large: loaded when asked for. */
export async function metricsOf(cgroup: Cgroup | undefined): Promise<Any> {
  const folder = cgroup && mainFolder(cgroup);
  if (folder === undefined || !existsSync(folder)) throw new NotFound("cgroup does not exist: not found");
  if (cgroup!.version === 2) {
    const [{ MetricsSchema }, { metricsV2 }] = await Promise.all([
      import("@longshore/proto/io/containerd/cgroups/v2/cgroups"),
      import("./stats-v2.ts"),
    ]);
    return packAny(MetricsSchema, metricsV2(cgroup!.path));
  }
  const [{ MetricsSchema }, { metricsV1 }] = await Promise.all([
    import("@longshore/proto/io/containerd/cgroups/v1/cgroups"),
    import("./stats-v1.ts"),
  ]);
  return packAny(MetricsSchema, metricsV1(cgroup!.paths));
}
