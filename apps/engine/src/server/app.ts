import type { IncomingMessage } from "node:http";
import type { Logger } from "@longshore/logger";
import { type FastifyInstance, type FastifyReply, fastify, LogController } from "fastify";
import { type SpanContext, parseTraceparent, span, withParent } from "@longshore/telemetry";
import { checkVersion, engineVersion, maxApiVersion } from "./version/api-version.ts";
import { errorBody, sendError } from "./answer/errors.ts";
import { checkQueries } from "./query/query.ts";
import { apiVersionOf, readTarget, unservedTarget } from "./request.ts";
import { sendJsonText } from "./answer/send.ts";
import { maxHeaderSize } from "./head/head.ts";
import type { Unserved } from "./target/target.ts";

/**
 * The HTTP application without its routes: version prefixes, Docker's headers on each handled
 * answer, errors as Docker words them. Bodies are left unread for the routes.
 */
export function createApp(
  log: Logger,
  options: { experimental: boolean; traceOf?: (container: string) => SpanContext | undefined },
): FastifyInstance {
  const app = fastify({
    loggerInstance: log.child({ module: "http" }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: Number.MAX_SAFE_INTEGER,
    forceCloseConnections: true,
    // As with Docker: there are but two, which have routes of their own.
    exposeHeadRoutes: false,
    // A name is as long as a head can be.
    routerOptions: { maxParamLength: maxHeaderSize },
    rewriteUrl: (request) => readTarget(request as unknown as IncomingMessage),
  }) as unknown as FastifyInstance;
  // To fastify no request has a body, of whatever method, since it would read one of any size where no route is, too:
  // routes read theirs, and judge media types, by Docker's rules.
  for (const method of [...app.supportedMethods]) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.addHook("onRequest", (request, reply, done) => {
    const { name } = request.params as { name?: string };
    const own =
      request.routeOptions.url?.startsWith("/containers/:name") === true && name !== undefined
        ? options.traceOf?.(name)
        : undefined;
    const parent = parseTraceparent(request.headers["traceparent"] as string | undefined) ?? own;
    const answered = (): Promise<void> =>
      new Promise((resolve) => {
        reply.raw.once("close", resolve);
        done();
      });
    void withParent(parent, () =>
      span(`${request.method} ${request.routeOptions.url ?? "unknown"}`, answered, { root: true }),
    );
  });
  app.addHook("onRequest", (request, reply, done) => {
    const unserved = unservedTarget(request);
    if (unserved !== undefined) return refuseTarget(unserved, reply);
    if (request.is404) return done();
    void reply
      .header("Api-Version", maxApiVersion)
      .header("Docker-Experimental", String(options.experimental))
      .header("Ostype", "linux")
      .header("Server", `Docker/${engineVersion} (linux)`);
    try {
      checkVersion(apiVersionOf(request));
      done();
    } catch (error) {
      sendError(error, request, reply);
    }
  });
  checkQueries(app);
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((_request, reply) => sendJsonText(reply, 404, errorBody("page not found")));
  app.options("/*", (_request, reply) => reply.code(200).send());
  return app;
}

/** As Go's server answers, before anything of Docker's own. */
function refuseTarget(unserved: Unserved, reply: FastifyReply): void {
  if ("movedTo" in unserved) void reply.code(301).header("Location", unserved.movedTo).send();
  else
    void reply
      .code(400)
      .header("Content-Type", "text/plain; charset=utf-8")
      .header("Connection", "close")
      .send("400 Bad Request");
}
