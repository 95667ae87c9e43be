import type { Any } from "@bufbuild/protobuf/wkt";
import type { Store } from "@longshore/content";
import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import type { Container } from "@longshore/metadata";
import { unpackAny } from "@longshore/proto";
import { CheckpointOptionsSchema, OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import type { CreateTaskRequest } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import type { Descriptor } from "@longshore/proto/containerd/types/types";
import type { Task } from "@longshore/runtime";

const mediaType = "application/vnd.containerd.container.criu.checkpoint.criu.tar";

/** The directory of criu images that a task is to be restored from, "" for a fresh start. */
export async function restoreCheckpoint({ options, checkpoint }: CreateTaskRequest, _content: Store): Promise<string> {
  const { criuImagePath = "" } = unpackAny(options, OptionsSchema) ?? {};
  if (criuImagePath !== "" || checkpoint === undefined) return criuImagePath;
  if (checkpoint.mediaType !== mediaType) throw new InvalidArgument(`unsupported checkpoint type "${checkpoint.mediaType}"`);
  throw new NotImplemented("restoring from a checkpoint in the content store: not implemented");
}

/** Checkpoints a task to the directory that the options name. */
export async function takeCheckpoint(task: Task, _container: Container, options: Any | undefined, _content: Store): Promise<Descriptor[]> {
  const { imagePath = "" } = unpackAny(options, CheckpointOptionsSchema) ?? {};
  if (imagePath === "") throw new NotImplemented("a checkpoint to the content store: not implemented");
  await task.checkpoint(imagePath, options);
  return [];
}
