/** The kinds of error that containerd and Docker tell apart, by containerd's names. */
export type ErrorKind =
  | "Canceled"
  | "Unknown"
  | "InvalidArgument"
  | "DeadlineExceeded"
  | "NotFound"
  | "AlreadyExists"
  | "PermissionDenied"
  | "ResourceExhausted"
  | "FailedPrecondition"
  | "Conflict"
  | "NotModified"
  | "Aborted"
  | "OutOfRange"
  | "NotImplemented"
  | "Internal"
  | "Unavailable"
  | "DataLoss"
  | "Unauthenticated";

/**
 * The base of every error that the project throws on purpose. The message names the object;
 * `cause` keeps what lay below it.
 */
export abstract class LongshoreError extends Error {
  abstract readonly kind: ErrorKind;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class Canceled extends LongshoreError {
  readonly kind = "Canceled";
}
export class Unknown extends LongshoreError {
  readonly kind = "Unknown";
}
export class InvalidArgument extends LongshoreError {
  readonly kind = "InvalidArgument";
}
export class DeadlineExceeded extends LongshoreError {
  readonly kind = "DeadlineExceeded";
}
export class NotFound extends LongshoreError {
  readonly kind = "NotFound";
}
export class AlreadyExists extends LongshoreError {
  readonly kind = "AlreadyExists";
}
export class PermissionDenied extends LongshoreError {
  readonly kind = "PermissionDenied";
}
export class ResourceExhausted extends LongshoreError {
  readonly kind = "ResourceExhausted";
}
export class FailedPrecondition extends LongshoreError {
  readonly kind = "FailedPrecondition";
}
export class Conflict extends LongshoreError {
  readonly kind = "Conflict";
}
export class NotModified extends LongshoreError {
  readonly kind = "NotModified";
}
export class Aborted extends LongshoreError {
  readonly kind = "Aborted";
}
export class OutOfRange extends LongshoreError {
  readonly kind = "OutOfRange";
}
export class NotImplemented extends LongshoreError {
  readonly kind = "NotImplemented";
}
export class Internal extends LongshoreError {
  readonly kind = "Internal";
}
export class Unavailable extends LongshoreError {
  readonly kind = "Unavailable";
}
export class DataLoss extends LongshoreError {
  readonly kind = "DataLoss";
}
export class Unauthenticated extends LongshoreError {
  readonly kind = "Unauthenticated";
}

/** The kind of any thrown value; what the project did not throw itself is `Unknown`. */
export function kindOf(error: unknown): ErrorKind {
  return error instanceof LongshoreError ? error.kind : "Unknown";
}

/** Whether `error` is of this kind. */
export function isKind(error: unknown, kind: ErrorKind): boolean {
  return kindOf(error) === kind;
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
