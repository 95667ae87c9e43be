import { createHash } from "node:crypto";
import { FailedPrecondition, InvalidArgument } from "@longshore/errdefs";
import type { Descriptor } from "@longshore/oci";
import { validateDigest } from "@longshore/reference";

/** The digest `algorithm:hex` of bytes; sha256 unless said otherwise. */
export function digestOf(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/**
 * Passes content through and checks it against its descriptor; the error comes before the end.
 * @throws FailedPrecondition when size or digest differ
 */
export async function* verified(
  content: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
): AsyncGenerator<Uint8Array> {
  validateDigest(descriptor.digest);
  const hash = createHash(descriptor.digest.slice(0, descriptor.digest.indexOf(":")));
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > descriptor.size)
      throw new FailedPrecondition(`${descriptor.digest}: content is longer than its size ${descriptor.size}`);
    hash.update(chunk);
    yield chunk;
  }
  const digest = `${descriptor.digest.slice(0, descriptor.digest.indexOf(":"))}:${hash.digest("hex")}`;
  if (size !== descriptor.size)
    throw new FailedPrecondition(`${descriptor.digest}: content has ${size} bytes instead of ${descriptor.size}`);
  if (digest !== descriptor.digest)
    throw new FailedPrecondition(`unexpected digest ${digest}, expected ${descriptor.digest}`);
}

/**
 * Reads small content whole, verified.
 * @throws InvalidArgument when it is larger than `limit` bytes
 */
export async function readVerified(
  content: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  limit: number,
): Promise<Buffer> {
  if (descriptor.size > limit)
    throw new InvalidArgument(`${descriptor.digest}: size ${descriptor.size} exceeds the limit of ${limit} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of verified(content, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
