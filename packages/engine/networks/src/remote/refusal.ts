import { fromGrpcCode, grpcCodeOf, isKind, messageOf, Unknown } from "@longshore/errdefs";

/** A plugin that is away is as bad as one that refuses: dockerd answers 500 for both. */
export function asRefusal(error: unknown, prefix = ""): Error {
  const message = `${prefix}${messageOf(error)}`;
  return isKind(error, "NotFound") || isKind(error, "PermissionDenied") || isKind(error, "InvalidArgument")
    ? fromGrpcCode(grpcCodeOf(error), message, error)
    : new Unknown(message, { cause: error });
}
