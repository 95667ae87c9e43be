import { isKind, messageOf, reasonOf } from "@longshore/errdefs";

/** Why a transfer failed, for those failures that clients treat apart. */
export const transferReasons = {
  /** The registry did not say what the name stands for. */
  resolveFailed: "RESOLVE_FAILED",
  /** None of an index's manifests is for the wanted platform. */
  noPlatform: "NO_MATCH_FOR_PLATFORM",
  /** The image is for another platform than those that it was to be unpacked for. */
  notUnpacked: "UNPACK_PLATFORM_UNSUPPORTED",
} as const;
export type TransferReason = (typeof transferReasons)[keyof typeof transferReasons];

const reasons: readonly string[] = Object.values(transferReasons);
/** What stands in front of the registry's own words. */
const resolvePrefix = "failed to resolve image: ";

function isReason(reason: string): reason is TransferReason {
  return reasons.includes(reason);
}

/** Why a transfer failed: our containerd says so, the stock one's words have to be known. */
export function transferReason(error: unknown): TransferReason | undefined {
  const reason = reasonOf(error);
  if (reason !== undefined) return isReason(reason) ? reason : undefined;
  const message = messageOf(error);
  if (message.startsWith(resolvePrefix)) return transferReasons.resolveFailed;
  if (isKind(error, "NotFound") && message.includes("no match for platform")) return transferReasons.noPlatform;
  if (isKind(error, "FailedPrecondition") && message.includes("unpacker does not support platform"))
    return transferReasons.notUnpacked;
  return undefined;
}

/** The registry's own words in the message of a failed transfer. */
export function registryWords(error: unknown): string {
  const message = messageOf(error);
  return message.startsWith(resolvePrefix) ? message.slice(resolvePrefix.length) : message;
}
