import type { WaitCondition } from "@longshore/containers";
import { InvalidArgument } from "@longshore/errdefs";
import { visible } from "../access/visible.ts";
import type { RoutePlugin } from "../engine.ts";
import { Query } from "../server/query.ts";
import { BodyStream } from "../server/stream.ts";
import { parameter } from "./parameters.ts";

const conditions = ["not-running", "next-exit", "removed"];

/** The answer's head goes out at once, so that a client knows that it waits before it starts the container. */
export const waitRoutes: RoutePlugin = (app, { containers }) => {
  app.post("/containers/:name/wait", { config: { confined: true, changes: false } }, async (request, reply) => {
    const condition = new Query(request).get("condition") || "not-running";
    if (!conditions.includes(condition)) throw new InvalidArgument(`invalid condition: ${JSON.stringify(condition)}`);
    const container = visible(request, containers).get(parameter(request, "name"));
    const gone = new AbortController();
    const result = container.wait(condition as WaitCondition, gone.signal);
    result.catch(() => undefined);
    const stream = new BodyStream(reply, "application/json");
    stream.gone.addEventListener("abort", () => gone.abort(), { once: true });
    try {
      await stream.json(await result);
      stream.end();
    } catch {
      stream.fail();
    }
  });
};
