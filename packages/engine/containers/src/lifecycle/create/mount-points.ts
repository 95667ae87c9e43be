import { type MountRecord, parseMountPoints } from "@longshore/docker-spec";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import type { Container } from "../../model/container.ts";
import type { Context } from "../../model/context.ts";
import { copyImageContent } from "../../rootfs/copy-up.ts";
import { attempt } from "../task.ts";

/** What the request, the image and other containers (`--volumes-from`) have mounted. @throws InvalidArgument */
export async function mountPoints(
  context: Context,
  container: Container,
  readOnlyNonRecursive: boolean,
): Promise<MountRecord[]> {
  return await parseMountPoints({
    config: container.record.Config,
    hostConfig: container.hostConfig,
    dataRoot: context.settings.dataRoot,
    readOnlyNonRecursive,
    mountPointsOf: async (name) => {
      if (name === "") throw new InvalidArgument('invalid name or ID supplied: ""');
      return Object.values(findNamed(context, name).record.MountPoints);
    },
  });
}

/** A container that a request names. A wrong name is the request's fault: Docker answers 400, not 404. */
function findNamed(context: Context, name: string): Container {
  try {
    return context.store.get(name);
  } catch (error) {
    throw new InvalidArgument(messageOf(error), { cause: error });
  }
}

/** Makes the volumes that do not exist yet, notes who uses them, and fills new ones from the image. */
export async function createVolumes(
  context: Context,
  container: Container,
  mounts: MountRecord[],
  undo: AsyncDisposableStack,
): Promise<void> {
  for (const mount of mounts) {
    if (mount.Type === "volume") {
      const anonymous = mount.Name === "";
      const { DriverConfig, Labels } = mount.Spec.VolumeOptions ?? {};
      const named = DriverConfig?.Name || mount.Driver;
      const volume = await context.volumes.create({
        Name: mount.Name,
        Driver: named,
        DriverOpts: DriverConfig?.Options ?? {},
        ...(Labels ? { Labels } : {}),
      });
      Object.assign(mount, { Name: volume.Name, Driver: volume.Driver, Source: volume.Mountpoint });
      // The mode that volumes have unless one is asked for is the local driver's own.
      if (volume.Driver !== "local" && named === "" && (mount.Relabel ?? "") === "z") mount.Relabel = "";
      context.volumes.reference(volume.Name, container.id);
      undo.defer(async () => {
        context.volumes.dereference(volume.Name, container.id);
        if (anonymous) await attempt(context, "removing a volume", () => context.volumes.remove(volume.Name, true));
      });
    }
    container.record.MountPoints[mount.Destination] = mount;
  }
  await copyImageContent(context, container);
}
