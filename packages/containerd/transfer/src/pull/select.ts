import type { Provider } from "@longshore/content";
import { transferReasons } from "@longshore/containerd-client";
import { NotFound, isKind } from "@longshore/errdefs";
import type { ImageSelection } from "../contract.ts";
import { readImageConfig, readManifest } from "../images/documents.ts";
import {
  type Descriptor,
  type Index,
  type Platform,
  type PlatformRank,
  isImageConfig,
  isIndex,
  isManifest,
  rankPlatforms,
} from "@longshore/oci";

/** One child of an index, and whether its layers are wanted or its manifest alone. */
export interface Chosen {
  readonly descriptor: Descriptor;
  readonly metadataOnly: boolean;
}

/** Attestations and the like name no platform that an image could run on. */
function platformOf(descriptor: Descriptor): Platform | undefined {
  const { platform } = descriptor;
  return platform === undefined || platform.os === "" || platform.architecture === "" ? undefined : platform;
}

/**
 * Chooses from an index what is wanted, the best first.
 * @throws NotFound `no match for platform in manifest …` when platforms are wanted, none of them is there, and the others' metadata is not wanted either
 */
export function chooseManifests(index: Index, digest: string, selection: ImageSelection): Chosen[] {
  const rank: PlatformRank = rankPlatforms(selection.platforms);
  const all = selection.platforms.length === 0;
  const ranked = index.manifests.map((descriptor) => {
    const platform = platformOf(descriptor);
    // Without a platform it may be anything, a nested index above all.
    return {
      descriptor,
      rank:
        platform === undefined
          ? all || isIndex(descriptor) || descriptor.platform === undefined
            ? 0
            : undefined
          : rank(platform),
    };
  });
  const matching = ranked.filter((entry) => entry.rank !== undefined).toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  if (matching.length === 0 && !all && !selection.allMetadata)
    throw new NotFound(`no match for platform in manifest ${digest}: not found`, {
      reason: transferReasons.noPlatform,
    });
  const chosen = selection.manifestLimit > 0 ? matching.slice(0, selection.manifestLimit) : matching;
  const wanted = new Set(chosen);
  const others = selection.allMetadata ? ranked.filter((entry) => !wanted.has(entry)) : [];
  return [
    ...chosen.map(({ descriptor }) => ({ descriptor, metadataOnly: false })),
    ...others.map(({ descriptor }) => ({ descriptor, metadataOnly: true })),
  ];
}

/** The platform that an image was made for, by its configuration; undefined for artifacts. */
export async function configPlatform(content: Provider, config: Descriptor): Promise<Platform | undefined> {
  if (!isImageConfig(config)) return undefined;
  const { os, architecture, variant } = await readImageConfig(content, config.digest);
  return { os: os || "linux", architecture: architecture || "", ...(variant === undefined ? {} : { variant }) };
}

/** Whether a blob is in the store. */
export async function isThere(content: Provider, { digest }: Descriptor): Promise<boolean> {
  try {
    await content.info(digest);
    return true;
  } catch (error) {
    if (isKind(error, "NotFound")) return false;
    throw error;
  }
}

/** Whether all that a manifest needs is in the store. */
export async function isComplete(content: Provider, manifest: Descriptor): Promise<boolean> {
  if (!isManifest(manifest) || !(await isThere(content, manifest))) return false;
  const { config, layers } = await readManifest(content, manifest.digest);
  for (const child of [config, ...layers]) if (!(await isThere(content, child))) return false;
  return true;
}
