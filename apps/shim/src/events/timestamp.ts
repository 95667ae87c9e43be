import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { TimestampSchema, create } from "@longshore/proto/message";

/** A protobuf timestamp of seconds and nanoseconds since 1970. */
export function timestamp(time: { seconds: number; nanoseconds: number }): Timestamp {
  return create(TimestampSchema, { seconds: BigInt(time.seconds), nanos: time.nanoseconds });
}

/** What the stock shim says of a time that has not come: the first year. */
export const never = { seconds: -62_135_596_800, nanoseconds: 0 };

export function now(): { seconds: number; nanoseconds: number } {
  const ms = Date.now();
  return { seconds: Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1e6 };
}
