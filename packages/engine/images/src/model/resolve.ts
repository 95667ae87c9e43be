import { type ImageRecord } from "@longshore/containerd-client";
import { type Platform, formatPlatform } from "@longshore/oci";
import type { ImagesContext } from "./context.ts";
import type { ResolvedImage } from "./contract.ts";
import { findRecord } from "./find.ts";
import { chainOf, chooseManifest, isSamePlatform, platformOf, readManifests } from "./manifests.ts";
import { familiarOf } from "./records.ts";

type Chosen = Omit<ResolvedImage, "name">;

/**
 * What was chosen lately, by digest and platform, for each containerd. As long as a record refers to an image its
 * blobs stay, but somebody may remove one by hand: they are looked for again after a while.
 */
const recent = new WeakMap<object, Map<string, { chosen: Chosen; at: number }>>();
const recentMs = 30_000;
const mostRecent = 64;

/**
 * Finds an image and, of its platforms, the one to run.
 * @throws NotFound when there is no such image, or not for the platform
 */
export async function resolveImage(
  context: ImagesContext,
  refOrId: string,
  platform?: Platform,
): Promise<ResolvedImage> {
  const { record, byId } = await findRecord(context, refOrId);
  const known = recent.get(context.containerd) ?? new Map<string, { chosen: Chosen; at: number }>();
  recent.set(context.containerd, known);
  const key = `${record.target.digest} ${formatPlatform(platform ?? context.platform)}`;
  const last = known.get(key);
  const isFresh = last !== undefined && performance.now() - last.at < recentMs;
  const chosen = isFresh ? last.chosen : await choose(context, record, platform);
  // Another one may be there tomorrow that is nearer to what was wanted.
  if (!isFresh && isSamePlatform(chosen.platform, platform ?? context.platform)) {
    known.delete(key);
    known.set(key, { chosen, at: performance.now() });
    const [oldest] = known.keys();
    if (known.size > mostRecent && oldest !== undefined) known.delete(oldest);
  }
  return structuredClone({ ...chosen, name: byId ? "" : record.name });
}

async function choose(context: ImagesContext, record: ImageRecord, platform: Platform | undefined): Promise<Chosen> {
  const { target } = record;
  const chosen = chooseManifest(context, await readManifests(context, target), familiarOf(record), platform);
  const { document, descriptor } = chosen;
  return {
    id: target.digest,
    target,
    manifest: descriptor,
    platform: document === undefined ? context.platform : platformOf(document),
    config: document?.config ?? {},
    chainId: chainOf(chosen).at(-1) ?? "",
  };
}
