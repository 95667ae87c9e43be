import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import type { Layers } from "@longshore/archive";
import { type Store, writeBlob } from "@longshore/content";
import { Unknown } from "@longshore/errdefs";
import type { Container } from "@longshore/metadata";
import { mediaTypes } from "@longshore/oci";
import { unpackAny } from "@longshore/proto";
import { CheckpointOptionsSchema, OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import type { CreateTaskRequest } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import type { CreateOptions, Task } from "@longshore/runtime";

const imagesType = "application/vnd.containerd.container.criu.checkpoint.criu.tar";
const configType = "application/vnd.containerd.container.checkpoint.config.v1+proto";

interface WrittenBlob {
  mediaType: string;
  digest: string;
  size: bigint;
}

const bindOf = (path: string): { type: string; source: string; options: string[] } => ({
  type: "bind",
  source: path,
  options: ["rbind", "rw"],
});

/**
 * The criu images that a task is to be restored from: the directory that the options name, or a blob
 * to unpack, or "" for a fresh start.
 * @throws Unknown, as containerd does, for a blob of another kind
 */
export function checkpointOf(
  { options, checkpoint }: Pick<CreateTaskRequest, "options" | "checkpoint">,
  content: Store,
  layers: Layers,
): CreateOptions["checkpoint"] {
  const { criuImagePath = "" } = unpackAny(options, OptionsSchema) ?? {};
  if (criuImagePath !== "" || checkpoint === undefined) return criuImagePath;
  const { digest, mediaType } = checkpoint;
  if (mediaType !== imagesType) throw new Unknown(`unsupported checkpoint type "${mediaType}"`);
  return (directory) => layers.apply(content, { digest, mediaType: mediaTypes.ociLayer }, [bindOf(directory)]);
}

/**
 * Checkpoints a task: to the directory that the options name, or else to two blobs, the criu images
 * and the container's spec.
 */
export async function takeCheckpoint(
  task: Pick<Task, "checkpoint">,
  { spec }: Pick<Container, "spec">,
  options: Any | undefined,
  content: Store,
  layers: Layers,
): Promise<WrittenBlob[]> {
  const { imagePath = "" } = unpackAny(options, CheckpointOptionsSchema) ?? {};
  if (imagePath !== "") {
    await task.checkpoint(imagePath, options);
    return [];
  }
  const path = await mkdtemp(join(process.env["XDG_RUNTIME_DIR"] || tmpdir(), "containerd-checkpoint-"));
  try {
    await task.checkpoint(path, options);
    const images = layers.diff([], [bindOf(path)], { mediaType: mediaTypes.ociLayer });
    const config = toBinary(AnySchema, create(AnySchema, spec ?? {}));
    return [
      await write(content, imagesType, path, images),
      await write(content, configType, join(path, "spec"), config),
    ];
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function write(
  content: Store,
  mediaType: string,
  ref: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<WrittenBlob> {
  const digest = await writeBlob(content, { ref }, source);
  const { size } = await content.info(digest);
  return { mediaType, digest, size: BigInt(size) };
}
