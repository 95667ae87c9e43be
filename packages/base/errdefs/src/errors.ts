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

export interface ErrorOptions {
  readonly cause?: unknown;
  /** For programs: which of a kind's errors it is, in capitals as in google.rpc.ErrorInfo; texts are for people. */
  readonly reason?: string | undefined;
}

/**
 * The base of every error that the project throws on purpose. The message names the object;
 * `cause` keeps what lay below it.
 */
export abstract class LongshoreError extends Error {
  abstract readonly kind: ErrorKind;
  readonly reason: string | undefined;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.reason = options?.reason;
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

/** Which of its kind's errors it is, where that was said; it crosses between our daemons. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof LongshoreError ? error.reason : undefined;
}

/** Whether `error` is of this kind. */
export function isKind(error: unknown, kind: ErrorKind): boolean {
  return kindOf(error) === kind;
}

/** libc's words where Node's differ, which are libuv's. */
const errnoTexts: Record<string, string> = {
  EBUSY: "device or resource busy",
  EEXIST: "file exists",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  EXDEV: "invalid cross-device link",
};

/** The message of any thrown value; of a failed call on files as Docker and containerd write it, `mkdir /x: no space left on device`. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (code === undefined || syscall === undefined || !error.message.startsWith(`${code}: `)) return error.message;
  const text = errnoTexts[code] ?? error.message.slice(code.length + 2).split(`, ${syscall}`, 1)[0] ?? code;
  return `${[syscall, path, dest].filter((part) => part !== undefined).join(" ")}: ${text}`;
}
