import { messageOf, PermissionDenied, Unknown } from "@longshore/errdefs";
import type { Plugins } from "@longshore/plugins";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Config } from "../config/config.ts";
import { readEarly } from "../server/body/body.ts";
import { errorBody } from "../server/answer/errors.ts";
import { targetOf } from "../server/request.ts";
import { type AuthorizationRequest, authorizationRequest, responseHeaders, showsBody } from "./authorization-call.ts";

const kind = "authz";

/** @throws Unknown with what keeps one of these plugins from being used: the engine does not serve without them */
export async function checkAuthorizationPlugins(plugins: Plugins, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await plugins.get(name, kind).catch((error: unknown) => {
      throw new Unknown(`failed to validate authorization plugin: ${messageOf(error)}`, { cause: error });
    });
  }
}

async function ask(
  plugins: Plugins,
  names: readonly string[],
  method: "AuthZReq" | "AuthZRes",
  question: AuthorizationRequest,
): Promise<void> {
  for (const name of names) {
    const answer = await plugins
      .get(name, kind)
      .then((plugin) => plugin.call<{ Allow?: boolean; Msg?: string; Err?: string }>(`AuthZPlugin.${method}`, question))
      .catch((error: unknown) => {
        throw new Unknown(`plugin ${name} failed with error: ${messageOf(error)}`, { cause: error });
      });
    if (answer.Allow !== true)
      throw new PermissionDenied(`authorization denied by plugin ${name}: ${answer.Msg ?? ""}`);
  }
}

/**
 * Asks the authorization plugins about each request before it is served, and about its answer
 * before that leaves. What streams, or takes the connection over, is told of when it has ended.
 */
export function authorize(app: FastifyInstance, plugins: Plugins, config: Pick<Config, "authorizationPlugins">): void {
  /** Requests that were let through, with what was asked about them. */
  const allowed = new WeakMap<FastifyRequest, AuthorizationRequest>();

  app.addHook("onRequest", async (request, reply) => {
    if (config.authorizationPlugins.length === 0 || request.is404 || reply.sent) return;
    const body = showsBody(request, request.headers["content-type"]) ? await readEarly(request) : undefined;
    const question = authorizationRequest(request, body);
    await ask(plugins, config.authorizationPlugins, "AuthZReq", question);
    allowed.set(request, question);
    const ended = (): void => {
      if (!allowed.delete(request)) return;
      ask(plugins, config.authorizationPlugins, "AuthZRes", question).catch((error: unknown) =>
        request.log.warn(
          { err: error, url: targetOf(request).uri },
          "an answer that has been given was not authorized",
        ),
      );
    };
    reply.raw.once("close", ended);
    // A connection that was taken over has no response any more.
    request.raw.socket.once("close", ended);
    reply.raw.once("finish", () => request.raw.socket.off("close", ended));
  });

  /** Answers that wait for a plugin's word. */
  const waiting = new WeakSet<FastifyRequest>();
  // To fastify a handler that is done while its answer waits has forgotten to answer, unless it gives the answer back.
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    route.handler = function (request, reply) {
      const result: unknown = handler.call(this, request, reply);
      return result instanceof Promise
        ? result.then((value: unknown) => (value === undefined && waiting.has(request) ? reply : value))
        : result;
    };
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const question = allowed.get(request);
    if (question === undefined) return payload;
    allowed.delete(request);
    waiting.add(request);
    const failed = reply.statusCode >= 400;
    try {
      await ask(plugins, config.authorizationPlugins, "AuthZRes", {
        ...question,
        ...(failed ? { ResponseHeaders: headersOfFailed(reply) } : answered(request, reply, payload)),
      });
      return payload;
    } catch (error) {
      // Who asked learns of his own mistake first.
      if (failed) return payload;
      reply
        .code(error instanceof PermissionDenied ? 403 : 500)
        .header("Content-Type", "application/json")
        .removeHeader("content-length");
      return Buffer.from(errorBody(messageOf(error)));
    }
  });
}

/** As in dockerd, plugins hear of an error before anything of its answer is set but what all answers have. */
function headersOfFailed(reply: FastifyReply): Record<string, string> {
  const { "Content-Type": _type, ...common } = responseHeaders(reply);
  return common;
}

function answered(request: FastifyRequest, reply: FastifyReply, payload: unknown): Partial<AuthorizationRequest> {
  const shown = showsBody(request, reply.getHeader("content-type"));
  const text = typeof payload === "string" || Buffer.isBuffer(payload) ? Buffer.from(payload) : undefined;
  return {
    ResponseStatusCode: reply.statusCode,
    ...(shown && text !== undefined && text.length > 0 ? { ResponseBody: text.toString("base64") } : {}),
    ResponseHeaders: responseHeaders(reply),
  };
}
