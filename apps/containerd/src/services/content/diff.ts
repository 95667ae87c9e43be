import { randomBytes } from "node:crypto";
import type { Diffed, Layers } from "@longshore/archive";
import type { Writer } from "@longshore/content";
import { InvalidArgument, isKind } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Scope } from "@longshore/metadata";
import { mediaTypes } from "@longshore/oci";
import type { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { type MetadataDeps, dateOf, scopeOf } from "../call.ts";
import { mountOf } from "./mounts.ts";

export interface DiffDeps extends MetadataDeps {
  layers: Layers;
}

/** On a packed layer: the digest of the tar in it. */
const uncompressedLabel = "containerd.io/uncompressed";

export function diffService({ metadata, layers }: DiffDeps): ServiceImplementation<typeof Diff> {
  return {
    async apply({ diff, mounts, syncFs }, context) {
      if (diff === undefined) throw new InvalidArgument("descriptor is required: invalid argument");
      const { content } = scopeOf(metadata, context);
      const { diffId, size } = await layers.apply(content, diff, mounts.map(mountOf), context.signal, syncFs);
      return { applied: { mediaType: mediaTypes.ociLayer, digest: diffId, size: BigInt(size) } };
    },
    async diff({ left, right, mediaType, ref, labels, sourceDateEpoch }, context) {
      const options = {
        mediaType,
        sourceDateEpoch: dateOf(sourceDateEpoch, "SourceDateEpoch"),
        signal: context.signal,
      };
      const stream = layers.diff(left.map(mountOf), right.map(mountOf), options);
      const scope = scopeOf(metadata, context);
      const { digest, size } = await store(scope, ref, stream, labels);
      return { diff: { mediaType: mediaType || mediaTypes.ociLayerGzip, digest, size: BigInt(size) } };
    },
  };
}

/** Writes the layer into the content store; a ref of our own is dropped when that fails. */
async function store(
  { content }: Scope,
  ref: string,
  stream: AsyncGenerator<Uint8Array, Diffed>,
  labels: Record<string, string>,
): Promise<{ digest: string; size: number }> {
  const name = ref || `diff-${randomBytes(9).toString("base64url")}`;
  let writer: Writer | undefined;
  try {
    writer = await content.writer({ ref: name });
    // What an earlier try left is not what comes now.
    if (writer.status().offset > 0) await writer.reset();
    const { diffId } = await copy(stream, writer);
    const { offset: size } = writer.status();
    const digest = writer.digest();
    const all = digest === diffId ? labels : { ...labels, [uncompressedLabel]: diffId };
    try {
      await writer.commit(size, digest, all);
    } catch (error) {
      if (!isKind(error, "AlreadyExists")) throw error;
      await content.update(
        { digest, labels: all },
        Object.keys(all).map((key) => `labels.${key}`),
      );
    }
    return { digest, size };
  } catch (error) {
    await stream.return({ diffId: "", size: 0 });
    await writer?.close();
    if (ref === "" && writer !== undefined) await content.abort(name).catch(() => undefined);
    throw error;
  } finally {
    await writer?.close();
  }
}

async function copy(stream: AsyncGenerator<Uint8Array, Diffed>, writer: Writer): Promise<Diffed> {
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return next.value;
    await writer.write(next.value);
  }
}
