import type { Platform } from "@longshore/oci";
import type { ImagesContext } from "./context.ts";
import type { ResolvedImage } from "./contract.ts";
import { findRecord } from "./find.ts";
import { chainOf, chooseManifest, platformOf, readManifests } from "./manifests.ts";

/**
 * Finds an image and, of its platforms, the one to run.
 * @throws NotFound when there is no such image, or not for the platform
 */
export async function resolveImage(context: ImagesContext, refOrId: string, platform?: Platform): Promise<ResolvedImage> {
  const { record, byId } = await findRecord(context, refOrId);
  const manifests = await readManifests(context, record.target);
  const chosen = chooseManifest(context, manifests, refOrId, platform);
  const { document, descriptor } = chosen;
  return {
    id: record.target.digest,
    name: byId ? "" : record.name,
    target: record.target,
    manifest: descriptor,
    platform: document === undefined ? context.platform : platformOf(document),
    config: document?.config ?? {},
    chainId: chainOf(chosen).at(-1) ?? "",
  };
}
