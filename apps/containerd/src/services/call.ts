import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { namespaceOf, leaseOf } from "@longshore/containerd-client";
import { InvalidArgument } from "@longshore/errdefs";
import type { CallContext } from "@longshore/grpc";
import type { Metadata, PackedAny, Scope } from "@longshore/metadata";
import { sizeProblem } from "@longshore/oci";

/** What the services that keep records are made of. */
export interface MetadataDeps {
  metadata: Metadata;
}

/** The stores of the call's namespace and lease. @throws FailedPrecondition, InvalidArgument without a good namespace */
export function scopeOf(metadata: Metadata, context: CallContext): Scope {
  return metadata.scope({ namespace: namespaceOf(context), lease: leaseOf(context) });
}

/** When an object was made and last changed, as messages carry it. */
export function times({ createdAt, updatedAt }: { createdAt: Date; updatedAt: Date }): {
  createdAt: Timestamp;
  updatedAt: Timestamp;
} {
  return { createdAt: timestampFromDate(createdAt), updatedAt: timestampFromDate(updatedAt) };
}

/** A number of bytes, or a place among them, that a client gives. @param field names it in the error @throws InvalidArgument */
export function bytesOf(value: bigint, field: string): number {
  const problem = sizeProblem(value);
  if (problem !== undefined) throw new InvalidArgument(`${field}: ${problem}: invalid argument`);
  return Number(value);
}

/** A time that a client gives. @throws InvalidArgument for one that no calendar has */
export function dateOf(value: Timestamp | undefined, field: string): Date | undefined {
  if (value === undefined) return undefined;
  const date = timestampDate(value);
  if (Number.isNaN(date.getTime()))
    throw new InvalidArgument(`${field}: ${value.seconds} seconds are no time: invalid argument`);
  return date;
}

/** A packed message without protobuf's own fields. */
export function unwrapAny(any: { typeUrl: string; value: Uint8Array }): PackedAny {
  return { typeUrl: any.typeUrl, value: any.value };
}

/** Calls `map` on each value of a record. */
export function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** Collects a stream's items into blocks of at most `limit`. */
export async function* blocks<T>(items: AsyncIterable<T>, limit: number): AsyncGenerator<T[]> {
  let block: T[] = [];
  for await (const item of items) {
    block.push(item);
    if (block.length < limit) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}
