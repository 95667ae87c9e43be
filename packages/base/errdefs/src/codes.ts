import {
  Aborted,
  AlreadyExists,
  Canceled,
  DataLoss,
  DeadlineExceeded,
  type ErrorKind,
  type ErrorOptions,
  FailedPrecondition,
  Internal,
  InvalidArgument,
  type LongshoreError,
  NotFound,
  NotImplemented,
  OutOfRange,
  PermissionDenied,
  ResourceExhausted,
  Unauthenticated,
  Unavailable,
  Unknown,
  kindOf,
  messageOf,
  reasonOf,
} from "./errors.ts";

const grpcCodes: Record<ErrorKind, number> = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Conflict: 9,
  NotModified: 9,
  Aborted: 10,
  OutOfRange: 11,
  NotImplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
};

const httpStatuses: Record<ErrorKind, number> = {
  Canceled: 499,
  Unknown: 500,
  InvalidArgument: 400,
  DeadlineExceeded: 500,
  NotFound: 404,
  AlreadyExists: 409,
  PermissionDenied: 403,
  ResourceExhausted: 500,
  FailedPrecondition: 400,
  Conflict: 409,
  NotModified: 304,
  Aborted: 500,
  OutOfRange: 400,
  NotImplemented: 501,
  Internal: 500,
  Unavailable: 503,
  DataLoss: 500,
  Unauthenticated: 401,
};

const byGrpcCode: Record<number, new (message: string, options?: ErrorOptions) => LongshoreError> = {
  1: Canceled,
  2: Unknown,
  3: InvalidArgument,
  4: DeadlineExceeded,
  5: NotFound,
  6: AlreadyExists,
  7: PermissionDenied,
  8: ResourceExhausted,
  9: FailedPrecondition,
  10: Aborted,
  11: OutOfRange,
  12: NotImplemented,
  13: Internal,
  14: Unavailable,
  15: DataLoss,
  16: Unauthenticated,
};

/** The gRPC (and ttrpc) status code of a thrown value. */
export function grpcCodeOf(error: unknown): number {
  return grpcCodes[kindOf(error)];
}

/** The HTTP status of a thrown value, as the Docker Engine API maps its error kinds. */
export function httpStatusOf(error: unknown): number {
  return httpStatuses[kindOf(error)];
}

/** The error that a gRPC (or ttrpc) status stands for. */
export function fromGrpcCode(code: number, message: string, cause?: unknown, reason?: string): LongshoreError {
  return new (byGrpcCode[code] ?? Unknown)(message, { cause, reason });
}

/**
 * The same kind of error with what was being done before its message: Go's `fmt.Errorf("what: %w", error)`.
 * @param reason by default the error's own
 */
export function wrap(what: string, error: unknown, reason = reasonOf(error)): LongshoreError {
  return fromGrpcCode(grpcCodeOf(error), `${what}: ${messageOf(error)}`, error, reason);
}
