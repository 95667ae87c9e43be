import { readPresent } from "@longshore/containerd-client";
import type { ImageConfig } from "@longshore/docker-api";
import { NotFound, isKind } from "@longshore/errdefs";
import {
  type Descriptor,
  DocumentWalk,
  type Image,
  type Manifest,
  type Platform,
  chainIds,
  formatPlatform,
  isImageConfig,
  isIndex,
  normalizePlatform,
  parseImage,
  parseIndex,
  parseManifest,
  rankPlatforms,
} from "@longshore/oci";
import type { ImagesContext } from "./context.ts";
import { askedSingly, type Holdings } from "../views/holdings.ts";

/** An image's configuration blob, with Docker's members in `config`. */
export type ImageDocument = Omit<Image, "config"> & { config?: ImageConfig | null };

/** Parses an image configuration. @throws InvalidArgument naming it */
export const parseImageDocument = (digest: string, text: string): ImageDocument =>
  parseImage(digest, text) as ImageDocument;

/** One manifest below an image's target. */
export interface ImageManifest {
  readonly descriptor: Descriptor;
  readonly kind: "image" | "attestation" | "unknown";
  /** What it is about, for an attestation: the digest of an image's manifest. */
  readonly attests?: string;
  /** As the index names it, or the configuration. */
  readonly platform?: Platform;
  /** Undefined when the content store does not have it. */
  readonly manifest?: Manifest;
  readonly document?: ImageDocument;
  /** Bytes of the manifest and all below it that the content store has. */
  readonly blobs: ReadonlyMap<string, number>;
  /** Whether all of it is in the content store. */
  readonly available: boolean;
}

async function documentOf(context: ImagesContext, { config }: Manifest): Promise<ImageDocument | undefined> {
  if (!isImageConfig(config)) return undefined;
  try {
    return await readPresent(context, config.digest, parseImageDocument);
  } catch (error) {
    if (isKind(error, "NotFound")) return undefined;
    throw error;
  }
}

async function readOne(context: ImagesContext, descriptor: Descriptor, holdings: Holdings): Promise<ImageManifest> {
  const attests = descriptor.annotations?.["vnd.docker.reference.digest"];
  const isAttestation = descriptor.annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
  const about =
    isAttestation && attests !== undefined ? { kind: "attestation" as const, attests } : { kind: "image" as const };
  const named = descriptor.platform === undefined ? {} : { platform: descriptor.platform };
  const blobs = new Map<string, number>();
  const own = await holdings.blobSize(descriptor.digest);
  if (own === undefined) return { descriptor, ...about, ...named, blobs, available: false };
  blobs.set(descriptor.digest, own);
  const manifest = await readPresent(context, descriptor.digest, parseManifest);
  const below = [manifest.config, ...manifest.layers];
  const [sizes, configuration] = await Promise.all([
    Promise.all(below.map(({ digest }) => holdings.blobSize(digest))),
    about.kind === "image" ? documentOf(context, manifest) : undefined,
  ]);
  const document = sizes[0] === undefined ? undefined : configuration;
  let available = true;
  for (const [position, { digest }] of below.entries()) {
    const size = sizes[position];
    if (size === undefined) available = false;
    else blobs.set(digest, size);
  }
  const platform = descriptor.platform ?? (document === undefined ? undefined : platformOf(document));
  const kind =
    about.kind === "image" && document?.rootfs === undefined && platform === undefined
      ? { kind: "unknown" as const }
      : about;
  return {
    descriptor,
    ...kind,
    ...(platform === undefined ? {} : { platform }),
    manifest,
    ...(document === undefined ? {} : { document }),
    blobs,
    available,
  };
}

/** The platform that a configuration states. */
export function platformOf({ os, architecture, variant }: ImageDocument): Platform {
  return { os: os || "linux", architecture, ...(variant ? { variant } : {}) };
}

/**
 * All manifests below an image's target, in the order of its indexes.
 * @throws InvalidArgument naming the document that is none, or why the image is too large to be one
 */
export async function readManifests(
  context: ImagesContext,
  target: Descriptor,
  holdings = askedSingly(context),
  walk = new DocumentWalk(),
  depth = 0,
): Promise<ImageManifest[]> {
  const size = await holdings.blobSize(target.digest);
  // An index may name one manifest for several platforms.
  const way = isIndex(target) ? "" : JSON.stringify([target.platform, target.annotations]);
  if (!walk.enter({ ...target, size: size ?? 0 }, depth, way)) return [];
  if (!isIndex(target)) return [await readOne(context, target, holdings)];
  if (size === undefined) return [];
  const { manifests } = await readPresent(context, target.digest, parseIndex);
  const children = await Promise.all(
    manifests.map((child) => readManifests(context, child, holdings, walk, depth + 1)),
  );
  return children.flat();
}

const isRunnable = (manifest: ImageManifest): boolean => manifest.kind === "image" && manifest.document !== undefined;

/**
 * The manifest of the wanted platform; without a wish this machine's, or else any that is there.
 * @param shown the name for the error
 * @param match whether what can run on the wanted platform will do, or only what is made for just that
 * @throws NotFound `image with reference x was found but does not provide the specified platform (…)`
 */
export function chooseManifest(
  context: ImagesContext,
  manifests: readonly ImageManifest[],
  shown: string,
  wanted?: Platform,
  match: "same" | "compatible" = "same",
): ImageManifest {
  const fits = ({ platform }: ImageManifest): boolean =>
    wanted === undefined || match === "compatible" || (platform !== undefined && isSamePlatform(platform, wanted));
  const candidates = manifests.filter((manifest) => isRunnable(manifest) && manifest.available && fits(manifest));
  const rank = rankPlatforms([wanted ?? context.platform]);
  const rankOf = ({ platform }: ImageManifest): number =>
    (platform === undefined ? undefined : rank(platform)) ?? Number.POSITIVE_INFINITY;
  const [best] = candidates.toSorted((a, b) => rankOf(a) - rankOf(b));
  if (best === undefined || (wanted !== undefined && rankOf(best) === Number.POSITIVE_INFINITY)) {
    const platform = formatAsGiven(wanted ?? context.platform);
    throw new NotFound(
      `image with reference ${shown} was found but does not provide the specified platform (${platform})`,
    );
  }
  return best;
}

/** `linux/arm64/v8`, with the variant as it was given. */
export function formatAsGiven({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** Whether two platforms are the same, however they are spelled. */
export const isSamePlatform = (a: Platform, b: Platform): boolean =>
  formatPlatform(normalizePlatform(a)) === formatPlatform(normalizePlatform(b));

/** Chain IDs of an image's layers, lowest first. */
export function chainOf(manifest: ImageManifest): string[] {
  return chainIds(manifest.document?.rootfs?.diff_ids ?? []);
}
