import { updateShape } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { declaredLength, readJson, readRequiredJson } from "../../server/body/body.ts";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { adaptCreate } from "../../older/create.ts";
import type { Speaks } from "../../older/speaks.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { parsePointInTime } from "../../server/query/time-parameter.ts";
import { refuseCheckpoint, refuseCheckpoints } from "./checkpoints.ts";
import { createBody } from "./container-shapes.ts";
import { inspectFor } from "./container-versions.ts";
import { parameter } from "../parameters.ts";
import { parsePlatform, parseSize } from "../values.ts";

/** Create, change and remove containers, and their life in between. */
export const containerRoutes: RoutePlugin = (app, { config: engineConfig, containers }) => {
  const find = (request: Parameters<typeof parameter>[0]) =>
    visible(request, containers).get(parameter(request, "name"));

  app.post("/containers/create", async (request, reply) => {
    const query = new Query(request);
    const { HostConfig, NetworkingConfig, ...config } = (await readRequiredJson(request, createBody)) ?? {};
    const asked = { config, hostConfig: HostConfig ?? {}, endpoints: NetworkingConfig?.EndpointsConfig ?? {} };
    const has: Speaks = (change) => speaks(request, change);
    const warnings = adaptCreate(asked, has, containers.cgroupVersion);
    const result = await containers.create({
      ...asked,
      name: query.get("name"),
      platform: has("createPlatform") ? parsePlatform(query.get("platform")) : undefined,
      config: Object.keys(config).length === 0 ? undefined : config,
      readOnlyNonRecursive: !has("createRecursiveReadOnly"),
    });
    sendJson(reply, 201, { ...result, Warnings: [...result.Warnings, ...warnings] });
  });

  app.get("/containers/:name/json", confined, async (request, reply) => {
    const container = find(request);
    sendJson(
      reply,
      200,
      inspectFor(request, container, await containers.inspect(container, new Query(request).bool("size"))),
    );
  });

  app.post("/containers/:name/start", confined, async (request, reply) => {
    const length = declaredLength(request);
    // A host configuration in the body went out of use with API 1.24; more than `{}` or `null` is one.
    if (length === undefined || length > 7)
      throw new InvalidArgument(
        "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
      );
    if (!engineConfig.experimental) refuseCheckpoints(new Query(request));
    const container = find(request);
    if (engineConfig.experimental) refuseCheckpoint(new Query(request), container);
    await containers.start(container);
    reply.code(204).send();
  });

  app.post("/containers/:name/stop", confined, async (request, reply) => {
    const options = stopOptions(request);
    await containers.stop(find(request), options);
    reply.code(204).send();
  });

  app.post("/containers/:name/restart", confined, async (request, reply) => {
    const options = stopOptions(request);
    await containers.restart(find(request), options, parameter(request, "name"));
    reply.code(204).send();
  });

  app.post("/containers/:name/kill", confined, async (request, reply) => {
    await containers.kill(visible(request, containers), parameter(request, "name"), new Query(request).get("signal"));
    reply.code(204).send();
  });

  app.post("/containers/:name/pause", confined, async (request, reply) => {
    await containers.pause(find(request));
    reply.code(204).send();
  });

  app.post("/containers/:name/unpause", confined, async (request, reply) => {
    await containers.unpause(find(request));
    reply.code(204).send();
  });

  app.post("/containers/:name/resize", confined, async (request, reply) => {
    const [height, width] = parseSize(new Query(request));
    await containers.resize(find(request), height, width);
    reply.code(200).send();
  });

  app.post("/containers/:name/rename", confined, async (request, reply) => {
    await containers.rename(find(request), new Query(request).get("name"));
    reply.code(204).send();
  });

  app.post("/containers/:name/update", confined, async (request, reply) => {
    const body = (await readJson(request, updateShape)) ?? {};
    if (!speaks(request, "updatePidsLimit")) delete body.PidsLimit;
    if (speaks(request, "withoutKernelMemory")) delete body.KernelMemory;
    const warnings = await containers.update(find(request), body);
    sendJson(reply, 200, { Warnings: warnings.length === 0 ? null : warnings });
  });

  app.get("/containers/:name/top", confined, async (request, reply) => {
    sendJson(reply, 200, await containers.top(find(request), new Query(request).get("ps_args")));
  });

  app.delete("/containers/:name", confined, async (request, reply) => {
    const query = new Query(request);
    const shown = parameter(request, "name");
    if (query.bool("link")) {
      await containers.removeLink(visible(request, containers), shown);
      return reply.code(204).send();
    }
    await containers.remove(find(request), { force: query.bool("force"), removeVolumes: query.bool("v") }, shown);
    return reply.code(204).send();
  });

  app.post("/containers/prune", confined, async (request, reply) => {
    const filters = Filters.parse(new Query(request).get("filters"), ["label", "label!", "until"]);
    const until = filters.get("until");
    if (until.length > 1) throw new InvalidArgument("more than one until filter specified");
    const before = until[0] === undefined ? undefined : parsePointInTime(until[0]);
    sendJson(reply, 200, await containers.prune(visible(request, containers), filters, before));
  });
};

function stopOptions(request: FastifyRequest): { signal: string; timeout: number | undefined } {
  const query = new Query(request);
  return {
    signal: speaks(request, "stopSignal") ? query.get("signal") : "",
    timeout: query.get("t") === "" ? undefined : query.int("t", 0),
  };
}
