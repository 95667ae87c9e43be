import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RoutePlugin } from "../../backends.ts";
import { errorBody } from "../../server/answer/errors.ts";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { parseImageFilters, parseJsonPlatform, transferPlatform, wildcard } from "./image-parameters.ts";
import { pushRoute, saveOne } from "./image-transfers.ts";
import { inspectFor, summaryFor } from "./image-versions.ts";

/** Splits `name/action` at its last slash; names have slashes of their own. */
function splitAction(path: string): { name: string; action: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? { name: path, action: "" } : { name: path.slice(0, slash), action: path.slice(slash + 1) };
}

function notFound(reply: FastifyReply): void {
  void reply.code(404).type("application/json").send(errorBody("page not found"));
}

/** Images: list, inspect, history, tag, remove, prune. */
export const imageRoutes: RoutePlugin = (app, engine) => {
  const { images } = engine;

  app.get("/images/json", async (request, reply) => {
    const query = new Query(request);
    const filters = parseImageFilters(query.get("filters"), [
      "before",
      "dangling",
      "label",
      "label!",
      "reference",
      "since",
      "until",
    ]);
    const reference = speaks(request, "imageListWithoutFilter") ? "" : query.get("filter");
    const list = await images.list({
      filters: reference === "" ? filters : { ...filters, references: [...filters.references, reference] },
      sharedSize: speaks(request, "imageListSharedSize") && query.bool("shared-size"),
      manifests: speaks(request, "imageListManifests") && query.bool("manifests"),
    });
    sendJson(
      reply,
      200,
      list.map((image) => summaryFor(request, image)),
    );
  });

  app.post("/images/prune", async (request, reply) => {
    const filters = parseImageFilters(new Query(request).get("filters"), ["dangling", "label", "label!", "until"]);
    sendJson(reply, 200, await images.prune(filters));
  });

  const inspect = async (request: FastifyRequest, reply: FastifyReply, name: string): Promise<void> => {
    const query = new Query(request);
    const manifests = speaks(request, "imageInspectManifests") && query.bool("manifests");
    const platform = speaks(request, "imageInspectPlatform") ? parseJsonPlatform(query.get("platform")) : undefined;
    if (manifests && platform !== undefined)
      throw new InvalidArgument("conflicting options: manifests and platform options cannot both be set");
    sendJson(reply, 200, inspectFor(request, await images.inspect(name, { manifests, platform })));
  };

  app.get("/images/*", async (request, reply) => {
    const { name, action } = splitAction(wildcard(request));
    if (action === "json") await inspect(request, reply, name);
    else if (action === "history") sendJson(reply, 200, await images.history(name, transferPlatform(request)));
    else if (action === "get") await saveOne(engine, request, reply, name);
    else notFound(reply);
    return reply;
  });

  app.post("/images/*", async (request, reply) => {
    const { name, action } = splitAction(wildcard(request));
    if (action === "push") await pushRoute(engine, request, reply, name);
    else if (action === "tag") {
      const query = new Query(request);
      await images.tag(name, query.get("repo"), query.get("tag"));
      void reply.code(201).send();
    } else notFound(reply);
    return reply;
  });

  app.delete("/images/*", async (request, reply) => {
    const query = new Query(request);
    const platforms = speaks(request, "imageRemovePlatforms") ? query.all("platforms").map(parseJsonPlatform) : [];
    const items = await images.remove(wildcard(request), {
      force: query.bool("force"),
      prune: !query.bool("noprune"),
      platforms: platforms.filter((platform) => platform !== undefined),
    });
    sendJson(reply, 200, items);
  });
};
