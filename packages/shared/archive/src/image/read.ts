import { createHash } from "node:crypto";
import { Readable, pipeline } from "node:stream";
import { createGzip } from "node:zlib";
import { InvalidArgument } from "@longshore/errdefs";
import { type Descriptor, type Index, type Manifest, maxDocumentBytes, mediaTypes, parseImage } from "@longshore/oci";
import { format, parseNormalized, tagNameOnly } from "@longshore/reference";
import { type Compression, detectCompression, magicBytes } from "../compression/detect.ts";
import { type Blob, type BlobStore, readBlob } from "./blobs.ts";
import {
  type DockerManifest,
  checkLayoutVersion,
  imageNameAnnotation,
  parseDockerManifests,
  parseIndexManifests,
  refNameAnnotation,
} from "./documents.ts";
import { type ArchiveFiles, readArchiveFiles } from "./files.ts";
import { Ingest, storeBlob } from "./ingest.ts";

/** What an archive holds. */
export interface ReadImages {
  /** Manifests or indexes, with the names that the archive gives them as annotations. */
  images: Descriptor[];
  /** The index of them all: the archive's own, or one made for a docker-archive. It is not stored. */
  index: Uint8Array;
}

export interface ReadOptions {
  /** Pack the plain layers of Docker's form of archive with gzip. */
  forceCompress: boolean;
  signal?: AbortSignal | undefined;
  /** Bytes that the archive may unpack to; absent or 0: as many as the disk has. */
  limit?: number;
}

/**
 * Reads a docker-archive or an OCI layout in a tar, packed or not. Its blobs are in the store when this
 * returns, and nothing else has changed: the caller records the images, or forgets them.
 * @throws UnexpectedEof, InvalidTarHeader, InvalidArgument; FailedPrecondition for a blob that is not what its name says
 */
export async function readImages(
  source: AsyncIterable<Uint8Array>,
  blobs: BlobStore,
  options: ReadOptions,
): Promise<ReadImages> {
  const files = await readArchiveFiles(source, blobs, options.signal, options.limit);
  const [layout, index, manifests] = ["oci-layout", "index.json", "manifest.json"].map((name) =>
    files.documents.get(name),
  );
  if (layout !== undefined) {
    checkLayoutVersion(layout);
    if (index === undefined) throw new InvalidArgument("missing index.json in OCI layout");
    return { images: parseIndexManifests(index), index };
  }
  if (manifests === undefined) throw new InvalidArgument("unrecognized image format");
  const images: Descriptor[] = [];
  for (const manifest of parseDockerManifests(manifests))
    images.push(...(await convert(manifest, files, blobs, options)));
  const made: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: images };
  return { images, index: Buffer.from(JSON.stringify(made)) };
}

/** Makes a manifest of what Docker's `manifest.json` tells of an image; one descriptor for each of its names. */
async function convert(
  { Config, RepoTags, Layers }: DockerManifest,
  files: ArchiveFiles,
  blobs: BlobStore,
  options: ReadOptions,
): Promise<Descriptor[]> {
  const config = files.get(Config);
  const { os, architecture, variant, rootfs } = parseImage(
    Config,
    await readBlob(blobs, config.digest, maxDocumentBytes),
  );
  if (rootfs.diff_ids.length !== Layers.length)
    throw new InvalidArgument(
      `invalid manifest, layers length mismatch: expected ${Layers.length}, got ${rootfs.diff_ids.length}`,
    );
  const layers: Descriptor[] = [];
  for (const path of Layers) layers.push(await layerOf(files.get(path), blobs, options));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, ...config },
    layers,
  };
  const data = Buffer.from(JSON.stringify(manifest));
  const stored = await storeBlob(blobs, data, `sha256:${createHash("sha256").update(data).digest("hex")}`);
  const descriptor: Descriptor = { mediaType: mediaTypes.dockerManifest, ...stored };
  if (os !== "" && architecture !== "")
    descriptor.platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  if (RepoTags === null || RepoTags.length === 0) return [descriptor];
  return RepoTags.map((name) => {
    const reference = tagNameOnly(parseNormalized(name));
    return {
      ...descriptor,
      annotations: {
        [imageNameAnnotation]: format(reference),
        ...(reference.tag && { [refNameAnnotation]: reference.tag }),
      },
    };
  });
}

async function layerOf(blob: Blob, blobs: BlobStore, { forceCompress, signal }: ReadOptions): Promise<Descriptor> {
  const compression = await compressionOf(blob, blobs);
  if (compression === "gzip") return { mediaType: mediaTypes.dockerLayerGzip, ...blob };
  if (compression === "zstd") return { mediaType: mediaTypes.ociLayerZstd, ...blob };
  if (compression === "uncompressed" && forceCompress)
    return { mediaType: mediaTypes.dockerLayerGzip, ...(await compressed(blob, blobs, signal)) };
  return { mediaType: mediaTypes.dockerLayer, ...blob };
}

async function compressionOf({ digest, size }: Blob, blobs: BlobStore): Promise<Compression> {
  if (size === 0) return "uncompressed";
  const pieces: Uint8Array[] = [];
  for await (const piece of blobs.read(digest, 0, Math.min(size, magicBytes))) pieces.push(piece);
  return detectCompression(Buffer.concat(pieces));
}

async function compressed({ digest }: Blob, blobs: BlobStore, signal: AbortSignal | undefined): Promise<Blob> {
  const ingest = await Ingest.start(blobs, "", 0);
  try {
    // What goes wrong comes out of the iteration.
    for await (const piece of pipeline(Readable.from(blobs.read(digest)), createGzip(), () => undefined)) {
      signal?.throwIfAborted();
      await ingest.write(piece as Buffer);
    }
    return await ingest.commit({ "containerd.io/uncompressed": digest });
  } finally {
    await ingest.abort();
  }
}
