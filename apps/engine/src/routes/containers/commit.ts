import type { RoutePlugin } from "../../backends.ts";
import { readJson } from "../../server/body/body.ts";
import { Query } from "../../server/query/query.ts";
import { sendJson } from "../../server/answer/send.ts";
import { configBody } from "./container-shapes.ts";

/** `docker commit`. */
export const commitRoutes: RoutePlugin = (app, { containers }) => {
  app.post("/commit", async (request, reply) => {
    const query = new Query(request);
    const requested = (await readJson(request, configBody)) ?? {};
    const container = containers.find(query.get("container"));
    const id = await containers.commit(container, {
      author: query.get("author"),
      comment: query.get("comment"),
      repo: query.get("repo"),
      tag: query.get("tag"),
      changes: query.all("changes"),
      pause: query.bool("pause", true),
      requested,
    });
    sendJson(reply, 201, { Id: id });
  });
};
