import { fromGrpcCode, grpcCodeOf, messageOf } from "@longshore/errdefs";

/** The same error with words in front that say what was being done. */
export function prefixed(prefix: string, error: unknown): Error {
  return fromGrpcCode(grpcCodeOf(error), `${prefix}: ${messageOf(error)}`, error);
}
