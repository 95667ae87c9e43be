import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { InvalidArgument, NotFound } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { type Shared, keepForLease, now, storeOf } from "../store.ts";

const digestOf = (data: Uint8Array): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const emptyTar = Buffer.alloc(1024);

/** Applies nothing and finds no differences, but answers as if. */
export function diffService(shared: Shared): ServiceImplementation<typeof Diff> {
  return {
    apply({ diff }, context) {
      if (diff === undefined) throw new InvalidArgument("descriptor is required: invalid argument");
      const blob = storeOf(shared, context).blobs.get(diff.digest);
      if (blob === undefined) throw new NotFound(`content ${diff.digest}: not found`);
      const data = diff.mediaType.includes("gzip") ? gunzipSync(blob.data) : blob.data;
      const mediaType = "application/vnd.oci.image.layer.v1.tar";
      return { applied: { mediaType, digest: digestOf(data), size: BigInt(data.length) } };
    },
    diff({ mediaType, labels }, context) {
      const store = storeOf(shared, context);
      const digest = digestOf(emptyTar);
      if (!store.blobs.has(digest))
        store.blobs.set(digest, {
          data: emptyTar,
          labels: { ...labels, "containerd.io/uncompressed": digest },
          createdAt: now(),
          updatedAt: now(),
        });
      keepForLease(store, context, "content", digest);
      return { diff: { mediaType, digest, size: BigInt(emptyTar.length) } };
    },
  };
}
