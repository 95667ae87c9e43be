import { packAny } from "@longshore/proto";
import { ImageImportStreamSchema, ImageStoreSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import type { ClientContext } from "../connection/context.ts";
import { sendBytes } from "./byte-stream.ts";
import { ClientStream } from "./stream.ts";
import { transfer } from "./transfer.ts";

export interface ImportRequest {
  readonly archive: AsyncIterable<Uint8Array>;
  /** What stands before the digest in the name of an image that the archive names nowhere. */
  readonly prefix: string;
  readonly signal: AbortSignal;
  readonly lease: string;
}

/** Passes bytes on and remembers what went wrong where they come from. */
class Watched {
  error: unknown;
  readonly bytes: AsyncIterable<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.bytes = this.#pass(source);
  }

  async *#pass(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}

/**
 * Stores the images of an archive.
 * @returns the names under which they are stored
 * @throws the source's error, or what containerd says of the archive
 */
export async function importImages(
  context: ClientContext,
  { archive, prefix, signal, lease }: ImportRequest,
): Promise<string[]> {
  const stream = await ClientStream.open(context, "import", signal);
  const watched = new Watched(archive);
  const names: string[] = [];
  const sending = sendBytes(stream, watched.bytes).then(
    () => stream.close(),
    () => stream.end(),
  );
  const destination = packAny(ImageStoreSchema, {
    // Names come from the archive; an image without one gets a name by its digest.
    extraReferences: [{ name: prefix, isPrefix: true, allowOverwrite: true, addDigest: true, skipNamedDigest: true }],
  });
  try {
    await transfer(context, {
      source: packAny(ImageImportStreamSchema, { stream: stream.id }),
      destination,
      onProgress: ({ event, name }) => {
        if (event === "saved") names.push(name);
      },
      signal,
      lease,
    });
  } catch (error) {
    throw watched.error ?? error;
  } finally {
    await stream.end();
    await sending;
  }
  return names;
}
