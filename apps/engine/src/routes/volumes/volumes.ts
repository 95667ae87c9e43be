import { InvalidArgument, messageOf, Unavailable } from "@longshore/errdefs";
import { parseBool } from "@longshore/go-values";
import type { Backends, RoutePlugin } from "../../backends.ts";
import { discardBody, readJson } from "../../server/body/body.ts";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { map, struct, text } from "@longshore/go-json";
import { notManager } from "../system/unserved.ts";
import { parameter } from "../parameters.ts";

const createBody = struct("volume.CreateOptions", {
  Name: text,
  Driver: text,
  DriverOpts: map(text),
  Labels: map(text),
  ClusterVolumeSpec: struct("volume.ClusterVolumeSpec", {}),
});

/** Whether `all` asks for named volumes too; from API 1.42 on only anonymous ones go otherwise. */
function wantsAll(filters: Filters, before142: boolean): boolean {
  const values = filters.get("all");
  if (values.length > 1) throw new InvalidArgument("invalid filter 'all': only one value is expected");
  const [value] = values;
  if (value === undefined) return before142;
  try {
    return parseBool(value);
  } catch (error) {
    throw new InvalidArgument(`invalid filter 'all': ${messageOf(error)}`, { cause: error });
  }
}

/** Docker says what it was reading when these are no filters at all. */
function readListFilters(parameter: string): Filters {
  let filters: Filters;
  try {
    filters = Filters.parse(parameter);
  } catch (error) {
    throw new InvalidArgument(`error reading volume filters: ${messageOf(error)}`, { cause: error });
  }
  return filters.only(["dangling", "driver", "label", "name"]);
}

/** `/volumes…`; names of what other drivers keep may have slashes. */
export const volumeRoutes: RoutePlugin<Pick<Backends, "volumes">> = (app, { volumes }) => {
  app.get("/volumes", async (request, reply) => {
    const filters = readListFilters(new Query(request).get("filters"));
    const { volumes: found, warnings } = await volumes.list(filters);
    sendJson(reply, 200, {
      Volumes: found,
      Warnings: warnings.length > 0 ? warnings : null,
    });
  });

  app.get("/volumes/*", async (request, reply) => {
    sendJson(reply, 200, await volumes.get(parameter(request, "*")));
  });

  app.post("/volumes/create", async (request, reply) => {
    const body = await readJson(request, createBody);
    if (body?.ClusterVolumeSpec !== undefined && speaks(request, "clusterVolumes")) throw new Unavailable(notManager);
    sendJson(reply, 201, await volumes.create(body ?? {}));
  });

  app.put("/volumes/*", async (request) => {
    await discardBody(request);
    throw new Unavailable("volume update only valid for cluster volumes, but swarm is unavailable");
  });

  app.delete("/volumes/*", async (request, reply) => {
    await discardBody(request);
    await volumes.remove(parameter(request, "*"), new Query(request).bool("force"));
    reply.code(204).send();
  });

  app.post("/volumes/prune", async (request, reply) => {
    await discardBody(request);
    const filters = Filters.parse(new Query(request).get("filters"), ["all", "label", "label!"]);
    const all = wantsAll(filters, !speaks(request, "volumePruneAnonymous"));
    const { deleted, reclaimed } = await volumes.prune(filters, all);
    sendJson(reply, 200, { VolumesDeleted: deleted, SpaceReclaimed: reclaimed });
  });
};
