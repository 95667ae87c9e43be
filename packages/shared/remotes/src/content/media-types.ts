import { mediaTypes } from "@longshore/oci";

const manifestTypes: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
];

/** Whether content of this type lives under `/manifests/` and not under `/blobs/`. */
export function isManifestType(mediaType: string): boolean {
  return manifestTypes.includes(mediaType);
}

/** What is accepted from `/manifests/`; artifacts of other types are welcome too. */
export const acceptManifests = [...manifestTypes, "*/*"].join(", ");

/** Layers that a registry need not hold, but which name URLs of their own. */
export function isNondistributable(mediaType: string): boolean {
  return (
    mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.") ||
    mediaType.includes(".rootfs.foreign.diff.")
  );
}

/** Limit of a manifest or index in bytes, the one that OCI tells registries to support at least. */
export const maxManifestBytes = 4 << 20;
