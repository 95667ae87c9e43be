import { transferReasons } from "@longshore/containerd-client";
import { FailedPrecondition } from "@longshore/errdefs";
import type { Scope } from "@longshore/metadata";
import type { UnpackTarget } from "../contract.ts";
import type { Environment } from "../environment.ts";
import { type Descriptor, formatPlatform, rankPlatforms } from "@longshore/oci";
import { configPlatform } from "../pull/select.ts";

/**
 * The snapshotter onto which an image is to be unpacked; undefined when nothing is to be.
 * @throws FailedPrecondition when unpacking is asked for, but not for this image's platform
 */
export async function unpackTargetFor(
  environment: Environment,
  scope: Scope,
  config: Descriptor,
  targets: readonly UnpackTarget[],
): Promise<string | undefined> {
  if (targets.length === 0) return undefined;
  const platform = await configPlatform(scope.content, config);
  const target =
    platform === undefined
      ? undefined
      : targets.find(
          (candidate) => candidate.platform.os === "" || rankPlatforms([candidate.platform])(platform) !== undefined,
        );
  if (platform !== undefined && target === undefined) {
    throw new FailedPrecondition(
      `unpacker does not support platform ${formatPlatform(platform)} for image ${config.digest}`,
      { reason: transferReasons.notUnpacked },
    );
  }
  return target === undefined ? undefined : target.snapshotter || environment.defaultSnapshotter(scope.namespace);
}
