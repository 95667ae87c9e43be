import { once } from "node:events";
import { createServer } from "node:http";
import { messageOf, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";

const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** @param text that the configuration has judged: `host:port` */
function listenOptions(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

/**
 * Serves what `text` gives at `/metrics` of an address, as dockerd does: without TLS, to whoever asks.
 * @returns what ends it
 * @throws Unknown when the address cannot be had
 */
export async function serveMetrics(
  address: string,
  text: () => Promise<string>,
  log: Logger,
): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    if (new URL(request.url ?? "/", "http://metrics").pathname !== "/metrics")
      return void response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("404 page not found\n");
    text().then(
      (body) => response.writeHead(200, { "Content-Type": contentType }).end(body),
      (error: unknown) => {
        log.warn({ err: error }, "metrics cannot be gathered");
        response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" }).end(`${messageOf(error)}\n`);
      },
    );
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  server.listen(listenOptions(address));
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Unknown(`metrics-addr: listen tcp ${address}: ${messageOf(error)}`, { cause: error });
  }
  server.on("error", (error) => log.error({ err: error }, "serving metrics"));
  return async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  };
}
