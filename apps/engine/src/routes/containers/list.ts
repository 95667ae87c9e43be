import { Filters } from "@longshore/list-filters";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { Query } from "../../server/query/query.ts";
import { sendJson } from "../../server/answer/send.ts";
import { summaryFor } from "./container-versions.ts";

const keys = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "isolation",
  "is-task",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
];

export const listRoutes: RoutePlugin = (app, { containers }) => {
  app.get("/containers/json", confined, async (request, reply) => {
    const query = new Query(request);
    const shown = await containers.list(visible(request, containers), {
      filters: Filters.parse(query.get("filters"), keys),
      limit: query.int("limit", 0),
      all: query.bool("all"),
      size: query.bool("size"),
    });
    sendJson(
      reply,
      200,
      shown.map((summary) => summaryFor(request, summary)),
    );
  });
};
