import { InvalidArgument, isKind } from "@longshore/errdefs";
import type { Ingester, Provider, WriterOptions } from "./contract.ts";

/** The most that is read into memory at once: the largest manifest or configuration that registries take, doubled. */
const readLimit = 8 << 20;

/**
 * A small blob (manifest, index, configuration) as a whole.
 * @throws NotFound; InvalidArgument when it is larger than 8 MiB
 */
export async function readBlob(provider: Provider, digest: string): Promise<Buffer> {
  const { size } = await provider.info(digest);
  if (size > readLimit)
    throw new InvalidArgument(`content ${digest}: ${size} bytes are too many for a document: invalid argument`);
  const parts: Uint8Array[] = [];
  for await (const part of provider.read(digest)) parts.push(part);
  return Buffer.concat(parts);
}

/**
 * Writes a blob from `source`; one that is there already is no error. An ingest that was begun
 * under the same ref is begun anew.
 * @returns its digest
 * @throws FailedPrecondition when size or digest are not the expected ones
 */
export async function writeBlob(
  ingester: Ingester,
  options: WriterOptions & { labels?: Record<string, string> },
  source: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<string> {
  let digest = options.expected ?? "";
  try {
    const writer = await ingester.writer(options);
    try {
      if (writer.digest() !== options.expected) {
        if (writer.status().offset > 0) await writer.reset();
        if (source instanceof Uint8Array) await writer.write(source);
        else for await (const part of source) await writer.write(part);
      }
      digest = writer.digest();
      return await writer.commit(options.size ?? 0, options.expected ?? "", options.labels);
    } finally {
      await writer.close();
    }
  } catch (error) {
    if (!isKind(error, "AlreadyExists") || digest === "") throw error;
    return digest;
  }
}
