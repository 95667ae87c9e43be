import { type ImageRecord } from "@longshore/containerd-client";
import type { ImageManifestSummary, OCIDescriptor } from "@longshore/docker-api";
import type { Descriptor, Platform } from "@longshore/oci";
import { familiarName, familiarString } from "@longshore/reference";
import type { ImagesContext } from "./context.ts";
import { askedSingly, type Holdings } from "../views/holdings.ts";
import { type ImageManifest, chainOf } from "./manifests.ts";
import { referenceOf } from "./records.ts";

/** Twelve digits of an ID, as messages show it. */
export const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);

/** Names with a tag, as Docker shows them. */
export function repoTags(records: readonly ImageRecord[]): string[] {
  return records.flatMap((record) => {
    const reference = referenceOf(record);
    return reference === undefined || reference.digest !== undefined ? [] : [familiarString(reference)];
  });
}

/** `name@digest` of each repository that the image is known by. */
export function repoDigests(records: readonly ImageRecord[]): string[] {
  const names = records.flatMap((record) => {
    const reference = referenceOf(record);
    return reference === undefined ? [] : [`${familiarName(reference)}@${record.target.digest}`];
  });
  return [...new Set(names)];
}

/** A descriptor with the members that clients know, in Docker's order. */
export function showDescriptor({
  mediaType,
  digest,
  size,
  annotations,
  platform,
  artifactType,
}: Descriptor): OCIDescriptor {
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform: showPlatform(platform) }),
    ...(artifactType ? { artifactType } : {}),
  };
}

export function showPlatform({ architecture, os, variant, ...rest }: Platform): NonNullable<OCIDescriptor["platform"]> {
  return {
    architecture,
    os,
    ...(rest["os.version"] ? { "os.version": rest["os.version"] } : {}),
    ...(rest["os.features"] ? { "os.features": rest["os.features"] } : {}),
    ...(variant ? { variant } : {}),
  };
}

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);

/** Bytes on disk of all unpacked layers of a manifest. */
async function unpackedSize(holdings: Holdings, manifest: ImageManifest): Promise<number> {
  return sum(await Promise.all([...new Set(chainOf(manifest))].map((chainId) => holdings.layerSize(chainId))));
}

/** One manifest as `manifests=1` shows it. */
export async function summarizeManifest(
  context: ImagesContext,
  target: string,
  manifest: ImageManifest,
  holdings = askedSingly(context),
): Promise<ImageManifestSummary> {
  const { descriptor, kind, platform, attests, available } = manifest;
  const content = sum(manifest.blobs.values());
  const unpacked = kind === "image" ? await unpackedSize(holdings, manifest) : 0;
  const using = context.containers().filter(({ imageId }) => imageId === target);
  return {
    ID: descriptor.digest,
    Descriptor: showDescriptor(descriptor),
    Available: available,
    Size: { Content: content, Total: content + unpacked },
    Kind: kind,
    ...(kind === "image"
      ? {
          ImageData: {
            Platform: showPlatform(platform ?? { os: "", architecture: "" }),
            Size: { Unpacked: unpacked },
            Containers: using.length === 0 ? null : using.map(({ id }) => id),
          },
        }
      : {}),
    ...(kind === "attestation" && attests !== undefined ? { AttestationData: { For: attests } } : {}),
  };
}
