import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Histogram } from "./exposition.ts";
import type { Metrics } from "./metrics.ts";

/** Whose time a request's is; undefined for one that is not measured. */
function actionOf(metrics: Metrics, request: FastifyRequest): [histogram: Histogram, value: string] | undefined {
  const { containerActions, imageActions, hostInfo } = metrics;
  const target = (request.params as Record<string, string>)["*"] ?? "";
  switch (`${request.method} ${request.routeOptions.url ?? ""}`) {
    case "POST /containers/create":
      return [containerActions, "create"];
    case "POST /containers/:name/start":
      return [containerActions, "start"];
    case "DELETE /containers/:name":
      return [containerActions, "delete"];
    case "POST /commit":
      return [containerActions, "commit"];
    case "GET /containers/:name/changes":
      return [containerActions, "changes"];
    case "POST /images/create":
      return [imageActions, "pull"];
    case "DELETE /images/*":
      return [imageActions, "delete"];
    case "GET /images/*":
      return target.endsWith("/history") ? [imageActions, "history"] : undefined;
    case "POST /images/*":
      return target.endsWith("/push") ? [imageActions, "push"] : undefined;
    case "GET /info":
      return [hostInfo, "system_info"];
    case "GET /version":
      return [hostInfo, "system_version"];
    default:
      return undefined;
  }
}

/** Measures the requests that succeed. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onResponse", (request, reply, done) => {
    const action = reply.statusCode < 300 ? actionOf(metrics, request) : undefined;
    if (action !== undefined) action[0].observe(action[1], reply.elapsedTime / 1000);
    done();
  });
}
