import { isKind, NotFound } from "@longshore/errdefs";
import type { ResolvedImage } from "@longshore/images";
import type { Context } from "../../model/context.ts";
import { ensureInitLayer, initLayerName } from "../../rootfs/init-layer.ts";

/** Nearly always the shared layer is there. Else it is made, and once more should the collector take it before it is built on. */
export async function prepareRoot(context: Context, id: string, image: ResolvedImage | undefined): Promise<void> {
  const chainId = image?.chainId ?? "";
  const prepare = async (parent: string): Promise<boolean> => {
    try {
      await context.containerd.snapshots.prepare({ snapshotter: context.settings.snapshotter, key: id, parent });
      return true;
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
      return false;
    }
  };
  if (await prepare(initLayerName(chainId))) return;
  if (image !== undefined) await context.images.unpack(image);
  for (let tries = 0; tries < 2; tries++) if (await prepare(await ensureInitLayer(context, chainId))) return;
  throw new NotFound(`parent snapshot ${initLayerName(chainId)} does not exist: not found`);
}
