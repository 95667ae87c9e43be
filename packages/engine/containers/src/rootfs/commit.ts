import { NotFound } from "@longshore/errdefs";
import type { CommitRequest } from "@longshore/images";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { whilePaused } from "../lifecycle/change/pause.ts";
import { usingFiles } from "./files.ts";

/** What an image of a container is to be. */
export interface CommitOptions extends Pick<
  CommitRequest,
  "author" | "comment" | "repo" | "tag" | "changes" | "requested"
> {
  /** The container stands still meanwhile. */
  pause: boolean;
}

/** Makes the image. */
export type CommitImage = (request: CommitRequest) => Promise<{ id: string; name: string }>;

/** Makes an image of what a container has changed. @returns its id @throws NotFound `No such image: x`, Conflict for one that is being removed */
export async function commitContainer(
  context: Context,
  commitImage: CommitImage,
  container: Container,
  { pause, ...options }: CommitOptions,
): Promise<string> {
  const { record } = container;
  const manifest = record.ImageManifest ?? undefined;
  if (manifest === undefined && record.Image !== "") throw new NotFound(`No such image: ${record.Image}`);
  const commit = (): ReturnType<CommitImage> =>
    commitImage({
      ...options,
      containerId: container.id,
      snapshotKey: container.id,
      config: record.Config,
      command: [record.Path, ...record.Args],
      imageId: record.Image,
      manifest,
      platform: record.ImagePlatform,
    });
  const { id, name } = await usingFiles(container, "commit", () =>
    pause ? whilePaused(context, container, commit) : commit(),
  );
  emitContainer(context, container, "commit", { comment: options.comment, imageID: id, imageRef: name });
  return id;
}
