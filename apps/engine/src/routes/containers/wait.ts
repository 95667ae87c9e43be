import type { WaitCondition, WaitResult } from "@longshore/containers";
import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyReply } from "fastify";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone, speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parameter } from "../parameters.ts";

const conditions = ["not-running", "next-exit", "removed"];

/** One answer with the exit code, once there is one. */
async function answerAtEnd(reply: FastifyReply, gone: AbortController, result: Promise<WaitResult>): Promise<void> {
  clientGone(reply).addEventListener("abort", () => gone.abort(), { once: true });
  try {
    sendJson(reply, 200, await result);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

/** The answer's head goes out at once, so that a client knows that it waits before it starts the container. */
export const waitRoutes: RoutePlugin = (app, { containers }) => {
  app.post("/containers/:name/wait", { config: { confined: true, changes: false } }, async (request, reply) => {
    const takesCondition = speaks(request, "waitCondition");
    const condition = (takesCondition && new Query(request).get("condition")) || "not-running";
    if (!conditions.includes(condition)) throw new InvalidArgument(`invalid condition: ${JSON.stringify(condition)}`);
    const container = visible(request, containers).get(parameter(request, "name"));
    const gone = new AbortController();
    const result = container.wait(condition as WaitCondition, gone.signal);
    result.catch(() => undefined);
    // Older clients start the container first: they have no use for an early answer.
    if (!takesCondition) return await answerAtEnd(reply, gone, result);
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
