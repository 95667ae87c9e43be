import { emitContainer, usingFiles, whilePaused } from "@longshore/containers";
import { NotFound } from "@longshore/errdefs";
import { commitImage } from "@longshore/images";
import type { RoutePlugin } from "../../engine.ts";
import { readJson } from "../../server/body/body.ts";
import { Query } from "../../server/query/query.ts";
import { sendJson } from "../../server/answer/send.ts";
import { configBody } from "./container-shapes.ts";

/** `docker commit`. */
export const commitRoutes: RoutePlugin = (app, { containers: context, images }) => {
  app.post("/commit", async (request, reply) => {
    const query = new Query(request);
    const requested = (await readJson(request, configBody)) ?? {};
    const container = context.store.get(query.get("container"));
    const { record } = container;
    const manifest = record.ImageManifest ?? undefined;
    if (manifest === undefined && record.Image !== "") throw new NotFound(`No such image: ${record.Image}`);
    const comment = query.get("comment");
    const commit = () =>
      commitImage(images, {
        containerId: container.id,
        snapshotKey: container.id,
        config: record.Config,
        command: [record.Path, ...record.Args],
        imageId: record.Image,
        manifest,
        platform: record.ImagePlatform,
        author: query.get("author"),
        comment,
        repo: query.get("repo"),
        tag: query.get("tag"),
        changes: query.all("changes"),
        requested,
      });
    const { id, name } = await usingFiles(container, "commit", () =>
      query.bool("pause", true) ? whilePaused(context, container, commit) : commit(),
    );
    emitContainer(context, container, "commit", { comment, imageID: id, imageRef: name });
    sendJson(reply, 201, { Id: id });
  });
};
