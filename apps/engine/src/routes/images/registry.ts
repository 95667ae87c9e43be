import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import { parseInteger } from "@longshore/go-values";
import type { RoutePlugin } from "../../backends.ts";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { clientGone } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { wildcard } from "./image-parameters.ts";
import { registryCall } from "./registry-auth.ts";

function starsOf(filters: Filters): { stars?: number } {
  const counts = filters.get("stars").map((value) => {
    if (!/^\d+$/.test(value)) throw new InvalidArgument(`invalid filter 'stars=[${value}]'`);
    return Number(value);
  });
  return counts.length === 0 ? {} : { stars: Math.max(...counts) };
}

/** What is asked of registries without pulling: search, descriptors. */
export const registryRoutes: RoutePlugin = (app, { images }) => {
  app.get("/images/search", async (request, reply) => {
    const query = new Query(request);
    const limit = query.get("limit");
    try {
      if (limit !== "") parseInteger(limit, "Atoi");
    } catch (error) {
      throw new InvalidArgument(`invalid limit specified: ${messageOf(error)}`, { cause: error });
    }
    const filters = Filters.parse(query.get("filters"), ["is-automated", "is-official", "stars"]);
    const found = await images.search(
      query.get("term"),
      Number(limit),
      {
        ...(filters.has("is-official") ? { isOfficial: filters.bool("is-official", false) } : {}),
        ...(filters.has("is-automated") ? { isAutomated: filters.bool("is-automated", false) } : {}),
        ...starsOf(filters),
      },
      clientGone(reply),
    );
    sendJson(reply, 200, found);
  });

  app.get("/distribution/*", async (request, reply) => {
    const path = wildcard(request);
    if (!path.endsWith("/json")) throw new Unknown("page not found");
    const call = registryCall(request, clientGone(reply));
    sendJson(reply, 200, await images.distribution(path.slice(0, -"/json".length), call));
  });
};
