import { type LongshoreError, fromGrpcCode, grpcCodeOf, messageOf } from "@longshore/errdefs";

/** The same error with what was being done before its message. */
export function during(what: string, error: unknown): LongshoreError {
  return fromGrpcCode(grpcCodeOf(error), `${what}: ${messageOf(error)}`, error);
}
