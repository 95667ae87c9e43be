import { endpointSettingsShape, networkCreateShape } from "@longshore/docker-api";
import { InvalidArgument, NotFound, messageOf } from "@longshore/errdefs";
import type { Backends, RoutePlugin } from "../../backends.ts";
import { discardBody, readJson } from "../../server/body/body.ts";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { bool, struct, text } from "@longshore/go-json";
import { parseBool } from "@longshore/go-values";
import { parsePointInTime } from "../../server/query/time-parameter.ts";
import { parameter } from "../parameters.ts";

const connectBody = struct("network.ConnectOptions", { Container: text, EndpointConfig: endpointSettingsShape });
const disconnectBody = struct("network.DisconnectOptions", { Container: text, Force: bool });

const listKeys = ["dangling", "driver", "id", "label", "name", "scope", "type"];

function verboseFlag(value: string): void {
  try {
    if (value !== "") parseBool(value);
  } catch (error) {
    throw new InvalidArgument(`invalid value for verbose: ${value}: ${messageOf(error)}`, { cause: error });
  }
}

/** `/networks…`: everything about networks but what a container's own start and end do. */
export const networkRoutes: RoutePlugin<Pick<Backends, "networks">> = (app, { networks }) => {
  for (const path of ["/networks", "/networks/"]) {
    app.get(path, async (request, reply) => {
      const filters = Filters.parse(new Query(request).get("filters"), listKeys);
      const found = await networks.list(filters);
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
    sendJson(reply, 201, { Id: id, Warning: "" });
  });

  app.delete("/networks/:id", async (request, reply) => {
    await discardBody(request);
    await networks.remove(parameter(request, "id"));
    reply.code(204).send();
  });

  app.post("/networks/:id/connect", async (request, reply) => {
    const body = await readJson(request, connectBody);
    await networks.connect(parameter(request, "id"), body?.Container ?? "", body?.EndpointConfig ?? {});
    reply.code(200).send();
  });

  app.post("/networks/:id/disconnect", async (request, reply) => {
    const body = await readJson(request, disconnectBody);
    await networks.disconnect(parameter(request, "id"), body?.Container ?? "", body?.Force ?? false);
    reply.code(200).send();
  });

  app.post("/networks/prune", async (request, reply) => {
    await discardBody(request);
    const filters = Filters.parse(new Query(request).get("filters"), ["label", "label!", "until"]);
    const until = filters.get("until");
    if (until.length > 1) throw new InvalidArgument("more than one until filter specified");
    const before = until[0] === undefined ? undefined : parsePointInTime(until[0]);
    const removed = await networks.prune(filters, before);
    sendJson(reply, 200, { NetworksDeleted: removed.length === 0 ? null : removed.map(({ Name }) => Name) });
  });
};
