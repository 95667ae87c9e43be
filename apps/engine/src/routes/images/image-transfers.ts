import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Backends, RoutePlugin } from "../../backends.ts";
import { ProgressStream } from "../../server/answer/progress-stream.ts";
import { bodyStream } from "../../server/body/body.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone, speaks } from "../../server/request.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parseJsonPlatform, transferPlatform } from "./image-parameters.ts";
import { registryCall } from "./registry-auth.ts";
import { parsePlatform } from "../values.ts";

/** `docker push`, and the name that its path has. */
export async function pushRoute(
  { images }: Pick<Backends, "images" | "log">,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
): Promise<void> {
  const query = new Query(request);
  const platform = speaks(request, "pushPlatform") ? parseJsonPlatform(query.get("platform")) : undefined;
  const progress = new ProgressStream(reply);
  const push = { image: name, tag: query.get("tag"), ...(platform === undefined ? {} : { platform }) };
  await progress.run(request, () => images.push(push, registryCall(request, progress.gone), progress.output));
}

async function save(
  { images, log }: Pick<Backends, "images" | "log">,
  request: FastifyRequest,
  reply: FastifyReply,
  names: readonly string[],
): Promise<void> {
  const platform = transferPlatform(request);
  const archive = await images.save(names, { platform, signal: clientGone(reply) });
  const stream = new BodyStream(reply, "application/x-tar");
  try {
    for await (const chunk of archive) await stream.write(chunk);
    stream.end();
  } catch (error) {
    log.warn({ err: error, names }, "saving images");
    stream.fail();
  }
}

/** `docker save` of one image, by the path. */
export function saveOne(
  engine: Pick<Backends, "images" | "log">,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
): Promise<void> {
  return save(engine, request, reply, [name]);
}

/** Pull and import, load and save. */
export const imageTransferRoutes: RoutePlugin = (app, engine) => {
  const { images } = engine;

  app.post("/images/create", async (request, reply) => {
    const query = new Query(request);
    const platform = speaks(request, "pullPlatform") ? parsePlatform(query.get("platform")) : undefined;
    const progress = new ProgressStream(reply);
    const image = query.get("fromImage");
    if (image !== "") {
      const pull = { image, tag: query.get("tag"), ...(platform === undefined ? {} : { platform }) };
      await progress.run(request, () => images.pull(pull, registryCall(request, progress.gone), progress.output));
      return reply;
    }
    const source = query.get("fromSrc");
    if (source === "") throw new InvalidArgument("either fromImage or fromSrc is needed");
    await progress.run(request, () =>
      images.import(
        {
          source,
          repo: query.get("repo"),
          tag: query.get("tag"),
          changes: query.all("changes"),
          message: query.get("message"),
          platform,
        },
        bodyStream(request),
        progress.gone,
        progress.output,
      ),
    );
    return reply;
  });

  app.post("/images/load", async (request, reply) => {
    const platform = transferPlatform(request);
    const progress = new ProgressStream(reply);
    await progress.run(
      request,
      () => images.load(bodyStream(request), { platform, signal: progress.gone }, progress.output),
      "line",
    );
    return reply;
  });

  app.get("/images/get", async (request, reply) => {
    await save(engine, request, reply, new Query(request).all("names"));
    return reply;
  });
};
