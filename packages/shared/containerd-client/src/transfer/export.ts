import { TarParser } from "@longshore/archive/tar";
import type { Platform } from "@longshore/oci";
import { packAny } from "@longshore/proto";
import { ImageExportStreamSchema, ImageStoreSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import { type LeaseContext, withLease } from "../leases/lease.ts";
import { receiveBytes } from "./byte-stream.ts";
import { ClientStream } from "./stream.ts";
import { platformMessage, transfer } from "./transfer.ts";

export interface ExportRequest {
  /** Names of image records. */
  readonly names: readonly string[];
  /** Only this one of an index; absent: all. */
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
}

/**
 * Streams images as one archive (OCI layout and docker-archive in one tar).
 * @throws what containerd says of the export, after the bytes that came before it
 */
export async function* exportImages(context: LeaseContext, request: ExportRequest): AsyncGenerator<Uint8Array> {
  const { names, platform, signal } = request;
  const stream = await ClientStream.open(context, "export", signal);
  try {
    const finished = withLease(context, (lease) =>
      transfer(context, {
        source: packAny(ImageStoreSchema, { extraReferences: names.map((name) => ({ name })) }),
        destination: packAny(ImageExportStreamSchema, {
          stream: stream.id,
          ...(platform === undefined ? { allPlatforms: true } : { platforms: [platformMessage(platform)] }),
        }),
        onProgress: () => undefined,
        signal,
        lease: lease.id,
      }),
    );
    // Nobody else ends the stream then.
    finished.catch(() => stream.end());
    try {
      yield* stream.channel === undefined ? archiveOf(stream, finished) : receiveBytes(stream);
    } catch (error) {
      await finished;
      throw error;
    }
    await finished;
  } finally {
    await stream.end();
  }
}

/** An archive that comes as messages. The stock containerd leaves the stream open: there it ends with its end mark. */
async function* archiveOf(stream: ClientStream, finished: Promise<void>): AsyncGenerator<Uint8Array> {
  const over = finished.then(() => undefined);
  over.catch(() => undefined);
  const archive = new TarParser();
  const bytes = receiveBytes(stream);
  for (;;) {
    const next = bytes.next();
    // Whatever it is that ends the stream, it may do so after the race.
    next.catch(() => undefined);
    const piece = archive.done ? await Promise.race([next, over]) : await next;
    if (piece === undefined || piece.done === true) return;
    for (const _ of archive.feed(Buffer.from(piece.value.buffer, piece.value.byteOffset, piece.value.byteLength)));
    yield piece.value;
  }
}
