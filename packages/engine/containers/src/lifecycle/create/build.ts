import { mkdir } from "node:fs/promises";
import type { StagedFiles } from "@longshore/atomicfile";
import { Pace } from "@longshore/concurrency";
import type { ResolvedImage } from "@longshore/images";
import { removeTree } from "@longshore/sys";
import { currentSpan, span } from "@longshore/telemetry";
import { runtimeOf } from "../../config/runtimes.ts";
import { refuseStorageOptions } from "../../config/unserved.ts";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { stageContainer } from "../../model/record-files.ts";
import { checkReadable } from "../../records/load.ts";
import { createViews, findMountedImages, removeViews, viewLabels } from "../../rootfs/image-mounts.ts";
import { makeWorkingDirectory } from "../../rootfs/working-directory.ts";
import { removeRuntime } from "../remove/remove.ts";
import { attempt, jsonAny, specType } from "../task.ts";
import { createVolumes, mountPoints } from "./mount-points.ts";
import { prepareRoot } from "./root.ts";

/** Marks containerd's records as ours, to find those whose container never came to be. */
export const ownerLabel = "longshore.engine";

/** Makes all that a container has, here and in containerd; a failure takes it away again. */
export async function buildContainer(
  context: Context,
  container: Container,
  image: ResolvedImage | undefined,
  readOnlyNonRecursive: boolean,
): Promise<void> {
  const { settings, containerd } = context;
  const { shim, options } = runtimeOf(context, container.hostConfig.Runtime);
  refuseStorageOptions(container.hostConfig);
  await using undo = new AsyncDisposableStack();
  const mounts = await mountPoints(context, container, readOnlyNonRecursive);
  const images = await findMountedImages(context, container.id, mounts);
  await mkdir(container.dir, { recursive: true, mode: 0o710 });
  undo.defer(() => attempt(context, "removing a container directory", () => removeTree(container.dir)));
  if (container.hostConfig.LogConfig.Type === "local") await mkdir(container.file("local-logs"), { mode: 0o700 });
  undo.defer(() =>
    attempt(context, "removing containerd's records", () => removeRuntime(context, container.id, false)),
  );
  // What is known now is brought to the disk while containerd works; volumes get their names later.
  const staged = mounts.length > 0 ? undefined : stage(container);
  // It may fail before anybody waits for it.
  staged?.catch(() => undefined);
  undo.defer(() => attempt(context, "writing a container's record", async () => void (await staged)));
  // The record first: it keeps the snapshot from being collected.
  await span("container record", () =>
    containerd.containers.create({
      container: {
        id: container.id,
        image: image?.name ?? "",
        labels: { [ownerLabel]: settings.dataRoot, ...viewLabels(context, container.id, images) },
        runtime: { name: shim, ...(options === undefined ? {} : { options }) },
        spec: jsonAny(specType, { ociVersion: "1.2.0" }),
        snapshotter: settings.snapshotter,
        snapshotKey: container.id,
      },
    }),
  );
  await span("snapshot prepare", () => prepareRoot(context, container.id, image));
  await makeWorkingDirectory(context, container, image?.chainId ?? "");
  undo.defer(() => attempt(context, "removing views of images", () => removeViews(context, container.id, mounts)));
  await createViews(context, container.id, images);
  await createVolumes(context, container, mounts, undo);
  await (await (staged ?? stage(container))).publish();
  container.trace = currentSpan();
  context.store.add(container);
  undo.move();
  emitContainer(context, container, "create");
}

async function stage(container: Container): Promise<StagedFiles> {
  const pace = new Pace();
  await checkReadable(container.record, container.hostConfig, pace);
  return stageContainer(container.dir, container, pace);
}
