import { summarize } from "@longshore/containers";
import { InvalidArgument } from "@longshore/errdefs";
import { listImages, noFilters, totalImageSize } from "@longshore/images";
import type { RoutePlugin } from "../../engine.ts";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";

const types = ["container", "image", "volume", "build-cache"];

/** `docker system df`, and the part of `docker system prune` that is no object's own. Without a builder there is no build cache. */
export const diskUsageRoutes: RoutePlugin = (app, { containers, images }) => {
  app.post("/build/prune", (_request, reply) => sendJson(reply, 200, { CachesDeleted: null, SpaceReclaimed: 0 }));
  app.get("/system/df", async (request, reply) => {
    const asked = speaks(request, "diskUsageType") ? new Query(request).all("type") : [];
    for (const type of asked) if (!types.includes(type)) throw new InvalidArgument(`unknown object type: ${type}`);
    const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
    const [imageList, layersSize, containerList, volumes] = await Promise.all([
      wants("image") ? listImages(images, { filters: noFilters, sharedSize: true, manifests: false }) : null,
      wants("image") ? totalImageSize(images) : 0,
      wants("container") ? summarize(containers, containers.store.list(), true) : null,
      wants("volume") ? containers.volumes.usage() : null,
    ]);
    sendJson(reply, 200, {
      LayersSize: layersSize,
      Images:
        imageList?.map((image) =>
          speaks(request, "withoutVirtualSize") ? image : { ...image, VirtualSize: image.Size },
        ) ?? null,
      Containers: containerList,
      Volumes: volumes,
      BuildCache: wants("build-cache") ? [] : null,
      ...(speaks(request, "diskUsageWithoutBuilderSize") ? {} : { BuilderSize: 0 }),
    });
  });
};
