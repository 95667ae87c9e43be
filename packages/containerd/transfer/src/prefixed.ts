import { fromGrpcCode, grpcCodeOf, messageOf, reasonOf } from "@longshore/errdefs";

/** The same error with words in front that say what was being done. */
export function prefixed(prefix: string, error: unknown, reason = reasonOf(error)): Error {
  return fromGrpcCode(grpcCodeOf(error), `${prefix}: ${messageOf(error)}`, error, reason);
}
