import type { Container } from "@longshore/containers";
import { Conflict, InvalidArgument, NotImplemented, PermissionDenied, Unknown } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { discardBody, readJson } from "../../server/body/body.ts";
import { Query } from "../../server/query/query.ts";
import { sendJson } from "../../server/answer/send.ts";
import { struct, text } from "@longshore/go-json";
import { parameter } from "../parameters.ts";

const createBody = struct("checkpoint.CreateOptions", { CheckpointID: text, CheckpointDir: text });
const validId = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const disabled =
  "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.";

function absent(checkpoint: string, container: string): Unknown {
  return new Unknown(`checkpoint ${checkpoint} does not exist for container ${container}`);
}

/**
 * No checkpoints are made: with the experimental features on, the answers are those of an engine on which
 * none was made yet, and a create is refused.
 */
export const checkpointRoutes: RoutePlugin = (app, { config, containers }) => {
  const find = (request: FastifyRequest): { name: string; container: Container } => {
    if (!config.experimental) throw new NotImplemented(disabled);
    const name = parameter(request, "name");
    return { name, container: visible(request, containers).get(name) };
  };
  app.get("/containers/:name/checkpoints", confined, (request, reply) => {
    const { name } = find(request);
    if (new Query(request).get("dir") !== "") throw absent("", name);
    sendJson(reply, 200, []);
  });
  app.post("/containers/:name/checkpoints", confined, async (request) => {
    if (!config.experimental) throw new NotImplemented(disabled);
    const { CheckpointID = "" } = (await readJson(request, createBody)) ?? {};
    const { name, container } = find(request);
    if (!container.alive) throw new Conflict(`container ${container.id} is not running`);
    if (!validId.test(CheckpointID))
      throw new Unknown(`Invalid checkpoint ID (${CheckpointID}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
    throw new NotImplemented(`Cannot checkpoint container ${name}: checkpoints are not supported by this engine`);
  });
  app.delete("/containers/:name/checkpoints/:checkpoint", confined, async (request) => {
    await discardBody(request);
    throw absent(parameter(request, "checkpoint"), find(request).name);
  });
};

/** Without the experimental features. @throws InvalidArgument with the real engine's words when a start names a checkpoint */
export function refuseCheckpoints(query: Query): void {
  if (query.get("checkpoint") !== "") throw new InvalidArgument("checkpoint is only supported in experimental mode");
}

/** With them. @throws PermissionDenied, Unknown with the real engine's words when a start names a checkpoint */
export function refuseCheckpoint(query: Query, { alive, name }: Container): void {
  const checkpoint = query.get("checkpoint");
  if (alive) return;
  if (query.get("checkpoint-dir") !== "") throw new PermissionDenied("custom checkpointdir is not supported");
  if (checkpoint !== "") throw absent(checkpoint, `/${name}`);
}
