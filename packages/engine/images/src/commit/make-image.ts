import { createHash } from "node:crypto";
import { Readable, pipeline } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { type Lease, unpackManifest, writeBlob, writeDocument } from "@longshore/containerd-client";
import { type Descriptor, type Manifest, mediaTypes } from "@longshore/oci";
import type { ImagesContext } from "../model/context.ts";
import type { ImageDocument } from "../model/manifests.ts";

/** A layer in the content store, and what it is uncompressed. */
export interface MadeLayer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

/** Stores an uncompressed tar as a gzipped layer. */
export async function makeLayer(
  context: ImagesContext,
  lease: Lease,
  tar: AsyncIterable<Uint8Array>,
): Promise<MadeLayer> {
  const hash = createHash("sha256");
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const gzip = createGzip({ level: constants.Z_DEFAULT_COMPRESSION, chunkSize: 1 << 18 });
  // What goes wrong comes out of the iteration of the gzip stream.
  const packed = pipeline(Readable.from(hashed(), { objectMode: true }), gzip, () => undefined);
  const { digest, size } = await writeBlob(context, lease, packed);
  const diffId = `sha256:${hash.digest("hex")}`;
  await context.containerd.content.update({
    info: { digest, labels: { "containerd.io/uncompressed": diffId } },
    updateMask: { paths: ["labels.containerd.io/uncompressed"] },
  });
  return { descriptor: { mediaType: mediaTypes.ociLayerGzip, digest, size }, diffId };
}

/**
 * Stores configuration and manifest of an image whose layers are there, and unpacks it.
 * @returns the manifest's descriptor; nothing names it yet but the lease
 */
export async function makeManifest(
  context: ImagesContext,
  lease: Lease,
  document: ImageDocument,
  layers: readonly Descriptor[],
): Promise<Descriptor> {
  const config = await writeDocument(context, lease, document);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...config },
    layers: [...layers],
  };
  const references = layers.map(({ digest }, position) => [`containerd.io/gc.ref.content.l.${position}`, digest]);
  const labels = {
    "containerd.io/gc.ref.content.config": config.digest,
    ...(Object.fromEntries(references) as Record<string, string>),
  };
  const written = await writeDocument(context, lease, manifest, labels);
  const descriptor: Descriptor = { mediaType: mediaTypes.ociManifest, ...written };
  await unpackManifest(context, lease, descriptor);
  return descriptor;
}
