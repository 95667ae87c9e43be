import { type Descriptor, mediaTypes } from "./image.ts";

type Typed = Pick<Descriptor, "mediaType">;

export const isIndex = ({ mediaType }: Typed): boolean =>
  mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex;
export const isManifest = ({ mediaType }: Typed): boolean =>
  mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
export const isImageConfig = ({ mediaType }: Typed): boolean =>
  mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;

/** Whether a blob is a layer of a root file system, and not some artifact's content. */
export const isLayer = ({ mediaType }: Typed): boolean =>
  mediaType.startsWith("application/vnd.oci.image.layer.") ||
  mediaType.startsWith("application/vnd.docker.image.rootfs.");
