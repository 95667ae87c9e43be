import { createHash } from "node:crypto";
import { isKind, InvalidArgument } from "@longshore/errdefs";
import { maxDocumentBytes } from "@longshore/oci";
import { WriteAction } from "@longshore/proto/containerd/services/content/v1/content";
import type { ClientContext } from "../connection/context.ts";
import type { Lease } from "../leases/lease.ts";

type Context = Pick<ClientContext, "containerd">;

/** Bytes in one message of a write. */
const pieceBytes = 1 << 20;

export interface BlobInfo {
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Undefined when the content store does not have the blob. */
export async function blobInfo({ containerd }: Context, digest: string): Promise<BlobInfo | undefined> {
  try {
    const { info } = await containerd.content.info({ digest });
    return info === undefined ? undefined : { size: Number(info.size), labels: info.labels };
  } catch (error) {
    if (isKind(error, "NotFound")) return undefined;
    throw error;
  }
}

/** One of the parsers of OCI's documents. @throws InvalidArgument naming the document */
type DocumentParser<T> = (digest: string, text: string) => T;

/** Reads a document. @throws NotFound, InvalidArgument when it is too large or not what it should be */
export async function readDocument<T>(context: Context, digest: string, parse: DocumentParser<T>): Promise<T> {
  return parse(digest, await readText(context, digest));
}

async function readText({ containerd }: Context, digest: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const { data } of containerd.content.read({ digest, offset: 0n, size: 0n })) {
    size += data.length;
    if (size > maxDocumentBytes)
      throw new InvalidArgument(`${digest} is too large for a document: more than ${maxDocumentBytes} bytes`);
    chunks.push(data);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Texts of documents by digest, which never change, for each containerd; the one that was used last comes last. */
const recent = new WeakMap<object, { texts: Map<string, string>; characters: number }>();
/** Characters of all that are kept, and of the longest one. */
const mostRecent = 1 << 20;
const longestRecent = 32 << 10;

/** As `readDocument`, for what the caller knows to be in the store: what was read lately comes from memory. */
export async function readPresent<T>(context: Context, digest: string, parse: DocumentParser<T>): Promise<T> {
  const kept = recent.get(context.containerd) ?? { texts: new Map<string, string>(), characters: 0 };
  recent.set(context.containerd, kept);
  const text = kept.texts.get(digest) ?? (await readText(context, digest));
  if (kept.texts.delete(digest)) kept.characters -= text.length;
  if (text.length <= longestRecent) {
    kept.texts.set(digest, text);
    kept.characters += text.length;
  }
  for (const [oldest, { length }] of kept.texts) {
    if (kept.characters <= mostRecent) break;
    kept.texts.delete(oldest);
    kept.characters -= length;
  }
  return parse(digest, text);
}

/** Adds labels to a blob. @throws NotFound */
export async function labelBlob(
  { containerd }: Context,
  digest: string,
  labels: Record<string, string>,
): Promise<void> {
  const paths = Object.keys(labels).map((key) => `labels.${key}`);
  await containerd.content.update({ info: { digest, labels }, updateMask: { paths } });
}

export interface WrittenBlob {
  readonly digest: string;
  readonly size: number;
}

let sequence = 0;

/**
 * Writes a blob under a lease.
 * @returns its digest and size; the blob may have been there before
 */
export async function writeBlob(
  context: Context,
  lease: Lease,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  labels: Record<string, string> = {},
): Promise<WrittenBlob> {
  const { containerd } = context;
  const ref = `engine-${process.pid}-${Date.now()}-${sequence++}`;
  const hash = createHash("sha256");
  let size = 0;
  async function* requests(): AsyncGenerator<{ action: WriteAction; ref: string; offset: bigint; data: Uint8Array }> {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const data = chunk.subarray(at, at + pieceBytes);
        hash.update(data);
        yield { action: WriteAction.WRITE, ref, offset: BigInt(size), data };
        size += data.length;
      }
    }
    yield { action: WriteAction.COMMIT, ref, offset: BigInt(size), data: new Uint8Array() };
  }
  try {
    for await (const _ of containerd.content.write(requests(), lease.options));
  } catch (error) {
    await containerd.content.abort({ ref }).catch(() => undefined);
    if (!isKind(error, "AlreadyExists")) throw error;
  }
  const digest = `sha256:${hash.digest("hex")}`;
  await containerd.leases.addResource({ id: lease.id, resource: { id: digest, type: "content" } });
  if (Object.keys(labels).length > 0) await labelBlob(context, digest, labels);
  return { digest, size };
}

/** Writes a JSON document under a lease. */
export function writeDocument(
  context: Context,
  lease: Lease,
  document: object,
  labels: Record<string, string> = {},
): Promise<WrittenBlob> {
  return writeBlob(context, lease, [Buffer.from(JSON.stringify(document))], labels);
}
