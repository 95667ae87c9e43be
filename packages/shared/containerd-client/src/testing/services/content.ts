import { createHash } from "node:crypto";
import {
  AlreadyExists,
  FailedPrecondition,
  InvalidArgument,
  NotFound,
  OutOfRange,
  Unavailable,
} from "@longshore/errdefs";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import {
  type Content,
  WriteAction,
  type WriteContentRequest,
} from "@longshore/proto/containerd/services/content/v1/content";
import {
  type Blob,
  type Ingest,
  type Shared,
  type Store,
  fields,
  keepForLease,
  now,
  select,
  storeOf,
  updatedLabels,
} from "../store.ts";

/** Bytes in one message of a read. */
const pieceBytes = 1 << 20;

const digestOf = (data: Uint8Array): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

function find(store: Store, digest: string): Blob {
  if (!/^[a-z0-9]+:[0-9a-f]+$/.test(digest)) throw new InvalidArgument(`"${digest}" failed validation`);
  const blob = store.blobs.get(digest);
  if (blob === undefined) throw new NotFound(`content ${digest}: not found`);
  return blob;
}

const info = (digest: string, { data, labels, createdAt, updatedAt }: Blob) => ({
  digest,
  size: BigInt(data.length),
  labels,
  createdAt,
  updatedAt,
});

const status = ({ ref, data, total, expected, startedAt, updatedAt }: Ingest) => ({
  ref,
  offset: BigInt(data.length),
  total,
  expected,
  startedAt,
  updatedAt,
});

function open(store: Store, { ref, total, expected }: WriteContentRequest): Ingest {
  if (ref === "") throw new InvalidArgument("first message must have a reference");
  const ingest = store.ingests.get(ref) ?? {
    ref,
    data: Buffer.alloc(0),
    total,
    expected,
    startedAt: now(),
    updatedAt: now(),
    open: false,
  };
  if (ingest.open) throw new Unavailable(`ref ${ref} locked: unavailable`);
  store.ingests.set(ref, ingest);
  ingest.open = true;
  return ingest;
}

function append(ingest: Ingest, { action, offset, data }: WriteContentRequest): void {
  const held = ingest.data.length;
  if (offset > 0n && offset !== BigInt(held))
    throw new OutOfRange(`write @${offset} must occur at current offset ${held}`);
  if (offset === 0n && (action === WriteAction.WRITE || data.length > 0)) ingest.data = Buffer.alloc(0);
  ingest.data = Buffer.concat([ingest.data, data]);
  ingest.updatedAt = now();
}

function commit(
  store: Store,
  context: CallContext,
  ingest: Ingest,
  given: { total: bigint; expected: string; labels: Record<string, string> },
): string {
  const digest = digestOf(ingest.data);
  const size = ingest.data.length;
  if (given.total > 0n && given.total !== BigInt(size))
    throw new FailedPrecondition(`unexpected commit size ${size}, expected ${given.total}: failed precondition`);
  if (given.expected !== "" && given.expected !== digest)
    throw new FailedPrecondition(`unexpected commit digest ${digest}, expected ${given.expected}: failed precondition`);
  store.ingests.delete(ingest.ref);
  keepForLease(store, context, "content", digest);
  if (store.blobs.has(digest)) throw new AlreadyExists(`content ${digest}: already exists`);
  store.blobs.set(digest, { data: ingest.data, labels: given.labels, createdAt: now(), updatedAt: now() });
  return digest;
}

async function* write(store: Store, context: CallContext, requests: AsyncIterable<WriteContentRequest>) {
  let ingest: Ingest | undefined;
  let total = 0n;
  let expected = "";
  try {
    for await (const request of requests) {
      total = request.total || total;
      expected = request.expected || expected;
      if (request.expected !== "" && store.blobs.has(request.expected)) {
        store.ingests.delete(ingest?.ref ?? request.ref);
        throw new AlreadyExists(`blob with expected digest ${request.expected} exists`);
      }
      ingest ??= open(store, request);
      if (request.action !== WriteAction.STAT) append(ingest, request);
      const at = BigInt(ingest.data.length);
      if (request.action === WriteAction.COMMIT) {
        const digest = commit(store, context, ingest, { total, expected, labels: request.labels });
        yield { action: request.action, offset: at, digest };
        return;
      }
      yield {
        action: request.action,
        offset: at,
        total: ingest.total,
        digest: digestOf(ingest.data),
        startedAt: ingest.startedAt,
        updatedAt: ingest.updatedAt,
      };
    }
  } finally {
    if (ingest !== undefined) ingest.open = false;
  }
}

export function contentService(shared: Shared): ServiceImplementation<typeof Content> {
  return {
    info: ({ digest }, context) => ({ info: info(digest, find(storeOf(shared, context), digest)) }),
    update({ info: given, updateMask }, context) {
      const digest = given?.digest ?? "";
      const blob = find(storeOf(shared, context), digest);
      blob.labels = updatedLabels(blob.labels, given?.labels ?? {}, updateMask?.paths ?? []);
      blob.updatedAt = now();
      return { info: info(digest, blob) };
    },
    async *list({ filters }, context) {
      const chosen = select(storeOf(shared, context).blobs, filters, ([digest, { labels }]) =>
        fields({ digest }, labels),
      );
      if (chosen.length > 0) yield { info: chosen.map(([digest, blob]) => info(digest, blob)) };
    },
    delete({ digest }, context) {
      const store = storeOf(shared, context);
      find(store, digest);
      store.blobs.delete(digest);
      return {};
    },
    async *read({ digest, offset, size }, context) {
      const { data } = find(storeOf(shared, context), digest);
      const start = Number(offset);
      if (start > data.length) throw new OutOfRange(`read past object length ${data.length} bytes`);
      const wanted = size > 0n ? data.subarray(start, start + Number(size)) : data.subarray(start);
      for (let at = 0; at < wanted.length; at += pieceBytes)
        yield { offset: BigInt(at), data: wanted.subarray(at, at + pieceBytes) };
    },
    status({ ref }, context) {
      const ingest = storeOf(shared, context).ingests.get(ref);
      if (ingest === undefined) throw new NotFound(`could not get status for ref "${ref}": not found`);
      return { status: status(ingest) };
    },
    listStatuses: ({ filters }, context) => ({
      statuses: select(storeOf(shared, context).ingests.values(), filters, ({ ref }) => fields({ ref }, {})).map(
        status,
      ),
    }),
    write: (requests, context) => write(storeOf(shared, context), context, requests),
    abort({ ref }, context) {
      if (!storeOf(shared, context).ingests.delete(ref)) throw new NotFound(`reference ${ref}: not found`);
      return {};
    },
  };
}
