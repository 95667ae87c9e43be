import { Exclusive } from "@longshore/concurrency";
import { endpointSettingsShape, type Network, networkCreateShape } from "@longshore/docker-api";
import { InvalidArgument, NotFound, Unknown, messageOf } from "@longshore/errdefs";
import type { Networks } from "@longshore/networks";
import { filterInSlices } from "@longshore/patterns";
import type { Engine, RoutePlugin } from "../../engine.ts";
import { connectContainer, disconnectContainer } from "@longshore/containers";
import { discardBody, readJson } from "../../server/body/body.ts";
import { Filters, hasLabel } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { bool, struct, text } from "@longshore/go-json";
import { parseBool } from "@longshore/go-values";
import { parsePointInTime } from "../../server/query/time-parameter.ts";
import { parameter } from "../parameters.ts";

const connectBody = struct("network.ConnectOptions", { Container: text, EndpointConfig: endpointSettingsShape });
const disconnectBody = struct("network.DisconnectOptions", { Container: text, Force: bool });

const predefined = ["bridge", "host", "none"];

/** Whether the `filters` of a list accept a network. @throws InvalidArgument, Unknown with Docker's texts */
function listFilter(parameter: string, networks: Networks): (network: Network) => boolean {
  const filters = Filters.parse(parameter, ["dangling", "driver", "id", "label", "name", "scope", "type"]);
  const types = filters.get("type");
  const unknown = types.find((type) => type !== "custom" && type !== "builtin");
  if (unknown !== undefined) throw new Unknown(`invalid filter: 'type'='${unknown}'`);
  let dangling: boolean | undefined;
  if (filters.get("dangling").length > 1)
    throw new InvalidArgument('got more than one value for filter key "dangling"');
  try {
    if (filters.has("dangling")) dangling = filters.bool("dangling", false);
  } catch (error) {
    throw new InvalidArgument(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`, {
      cause: error,
    });
  }
  return (network) => {
    const builtin = predefined.includes(network.Name);
    return (
      filters.exact("driver", network.Driver) &&
      filters.match("id", network.Id) &&
      filters.match("name", network.Name) &&
      filters.exact("scope", network.Scope) &&
      filters.labels("label", network.Labels) &&
      (types.length === 0 || types.includes(builtin ? "builtin" : "custom")) &&
      (dangling === undefined || dangling === (!builtin && !networks.inUse(network.Id)))
    );
  };
}

function verboseFlag(value: string): void {
  try {
    if (value !== "") parseBool(value);
  } catch (error) {
    throw new InvalidArgument(`invalid value for verbose: ${value}: ${messageOf(error)}`, { cause: error });
  }
}

/** `/networks…`: everything about networks but what a container's own start and end do. */
export const networkRoutes: RoutePlugin<Engine & { networks: Networks }> = (app, { networks, containers }) => {
  const pruning = new Exclusive("a prune operation");

  for (const path of ["/networks", "/networks/"]) {
    app.get(path, async (request, reply) => {
      const accepts = listFilter(new Query(request).get("filters"), networks);
      const found = await filterInSlices(networks.list(), accepts);
      sendJson(reply, 200, speaks(request, "networkListBrief") ? found : found.map(({ Id }) => networks.inspect(Id)));
    });
  }

  app.get("/networks/:id", (request, reply) => {
    const query = new Query(request);
    verboseFlag(query.get("verbose"));
    const id = parameter(request, "id");
    const network = networks.inspect(id);
    if (query.get("scope") !== "" && query.get("scope") !== network.Scope)
      throw new NotFound(`network ${id} not found`);
    sendJson(reply, 200, network);
  });

  app.post("/networks/create", async (request, reply) => {
    const { ConfigFrom, ...rest } = (await readJson(request, networkCreateShape)) ?? {};
    // Older clients cannot do without IPv4.
    if (!speaks(request, "networkEnableIPv4")) delete rest.EnableIPv4;
    const id = await networks.create({ ...rest, Name: rest.Name ?? "", ConfigFrom: ConfigFrom?.Network ?? "" });
    const { Name, Driver } = networks.get(id);
    containers.emit("network", "create", { ID: id, Attributes: { name: Name, type: Driver } });
    sendJson(reply, 201, { Id: id, Warning: "" });
  });

  app.delete("/networks/:id", async (request, reply) => {
    await discardBody(request);
    const network = networks.get(parameter(request, "id"));
    await networks.remove(network.Id);
    containers.emit("network", "destroy", { ID: network.Id, Attributes: { name: network.Name, type: network.Driver } });
    reply.code(204).send();
  });

  app.post("/networks/:id/connect", async (request, reply) => {
    const body = await readJson(request, connectBody);
    await connectContainer(
      { containers, networks },
      parameter(request, "id"),
      body?.Container ?? "",
      body?.EndpointConfig ?? {},
    );
    reply.code(200).send();
  });

  app.post("/networks/:id/disconnect", async (request, reply) => {
    const body = await readJson(request, disconnectBody);
    await disconnectContainer(
      { containers, networks },
      parameter(request, "id"),
      body?.Container ?? "",
      body?.Force ?? false,
    );
    reply.code(200).send();
  });

  app.post("/networks/prune", async (request, reply) => {
    await discardBody(request);
    const filters = Filters.parse(new Query(request).get("filters"), ["label", "label!", "until"]);
    const until = filters.get("until");
    if (until.length > 1) throw new InvalidArgument("more than one until filter specified");
    const before = until[0] === undefined ? undefined : parsePointInTime(until[0]);
    await pruning.run(async () => {
      const removed = await networks.prune(({ Labels, Created }) => {
        if (!filters.labels("label", Labels) || filters.get("label!").some((wanted) => hasLabel(wanted, Labels ?? {})))
          return false;
        return before === undefined || Date.parse(Created) < before;
      });
      for (const { Id, Name, Driver } of removed)
        containers.emit("network", "destroy", { ID: Id, Attributes: { name: Name, type: Driver } });
      containers.emit("network", "prune", { ID: "", Attributes: { reclaimed: "0" } });
      sendJson(reply, 200, { NetworksDeleted: removed.length === 0 ? null : removed.map(({ Name }) => Name) });
    });
  });
};
