import type { ImageConfig, ImageInspect } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { isIndex, type Platform } from "@longshore/oci";
import type { ImagesContext } from "../model/context.ts";
import { findImage } from "../model/find.ts";
import { chooseManifest, platformOf, readManifests } from "../model/manifests.ts";
import { repoDigests, repoTags, showDescriptor, sum, summarizeManifest } from "../model/shown.ts";

/** Label of the record of an image that was committed: the image's ID it was made from. */
export const parentLabel = "org.mobyproject.image.parent";

/** The configuration's members that Docker always shows, and those that are set. */
function showConfig(config: ImageConfig): ImageConfig {
  const set = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null && value !== "";
  return {
    User: config.User ?? "",
    ...(set(config.ExposedPorts) ? { ExposedPorts: config.ExposedPorts } : {}),
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(set(config.Healthcheck) ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.ArgsEscaped === true ? { ArgsEscaped: true } : {}),
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(set(config.StopSignal) ? { StopSignal: config.StopSignal } : {}),
    ...(set(config.Shell) ? { Shell: config.Shell } : {}),
  };
}

/**
 * All about one image.
 * @param options.manifests also lists the platforms; not together with `platform`
 * @throws NotFound, InvalidArgument with Docker's messages
 */
export async function inspectImage(
  context: ImagesContext,
  refOrId: string,
  options: { manifests: boolean; platform?: Platform | undefined },
): Promise<ImageInspect> {
  if (options.manifests && options.platform !== undefined) {
    throw new InvalidArgument("conflicting options: manifests and platform options cannot both be set");
  }
  const { record, all } = await findImage(context, refOrId);
  const manifests = await readManifests(context, record.target);
  const chosen = chooseManifest(context, manifests, refOrId, options.platform);
  const document = chosen.document;
  const platform = document === undefined ? context.platform : platformOf(document);
  const tagged = Math.max(...all.map(({ updatedAt }) => updatedAt.getTime()));
  return {
    Id: record.target.digest,
    RepoTags: repoTags(all),
    RepoDigests: repoDigests(all),
    Parent: record.labels[parentLabel] ?? "",
    Comment: document?.history?.at(-1)?.comment ?? "",
    ...(document?.created === undefined ? {} : { Created: document.created }),
    DockerVersion: "",
    Author: document?.author ?? "",
    Architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { Variant: platform.variant }),
    Os: platform.os,
    ...(document?.["os.version"] ? { OsVersion: document["os.version"] } : {}),
    // As with Docker, of the platform that is shown, and of the index that names it.
    Size: sum(chosen.blobs.values()) + (isIndex(record.target) ? record.target.size : 0),
    GraphDriver: { Data: null, Name: context.snapshotter },
    RootFS: { Type: "layers", Layers: document?.rootfs?.diff_ids ?? [] },
    Metadata: { LastTagTime: new Date(tagged).toISOString() },
    Descriptor: showDescriptor(options.platform === undefined ? record.target : chosen.descriptor),
    ...(options.manifests
      ? {
          Manifests: await Promise.all(
            manifests.map((manifest) => summarizeManifest(context, record.target.digest, manifest)),
          ),
        }
      : {}),
    Config: showConfig(document?.config ?? {}),
  };
}
