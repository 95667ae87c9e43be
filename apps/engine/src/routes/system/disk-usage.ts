import { InvalidArgument } from "@longshore/errdefs";
import type { RoutePlugin } from "../../backends.ts";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";

const types = ["container", "image", "volume", "build-cache"];

/** `docker system df`, and the part of `docker system prune` that is no object's own. Without a builder there is no build cache. */
export const diskUsageRoutes: RoutePlugin = (app, { containers, images, volumes }) => {
  app.post("/build/prune", (_request, reply) => sendJson(reply, 200, { CachesDeleted: null, SpaceReclaimed: 0 }));
  app.get("/system/df", async (request, reply) => {
    const asked = speaks(request, "diskUsageType") ? new Query(request).all("type") : [];
    for (const type of asked) if (!types.includes(type)) throw new InvalidArgument(`unknown object type: ${type}`);
    const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
    const [imageUsage, containerList, volumeList] = await Promise.all([
      wants("image") ? images.usage() : null,
      wants("container") ? containers.usage() : null,
      wants("volume") ? volumes.usage() : null,
    ]);
    sendJson(reply, 200, {
      LayersSize: imageUsage?.size ?? 0,
      Images:
        imageUsage?.images.map((image) =>
          speaks(request, "withoutVirtualSize") ? image : { ...image, VirtualSize: image.Size },
        ) ?? null,
      Containers: containerList,
      Volumes: volumeList,
      BuildCache: wants("build-cache") ? [] : null,
      ...(speaks(request, "diskUsageWithoutBuilderSize") ? {} : { BuilderSize: 0 }),
    });
  });
};
