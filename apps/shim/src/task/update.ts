import { join } from "node:path";
import type { Any } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@longshore/errdefs";
import { removeBundleFile, writeBundleFile } from "./bundle.ts";
import type { Container } from "./container.ts";

let sequence = 0;

/** Changes the limits of a container; `resources` holds the runtime spec's LinuxResources as JSON. */
export async function update(container: Container, resources: Any | undefined): Promise<void> {
  if (resources === undefined) throw new InvalidArgument("resources are required");
  const name = `resources-${sequence++}.json`;
  writeBundleFile(container.bundle, name, Buffer.from(resources.value).toString());
  try {
    await container.runc.run("OCI runtime update failed", [
      "update",
      "--resources",
      join(container.bundle, name),
      container.id,
    ]);
  } finally {
    removeBundleFile(container.bundle, name);
  }
}
