import { confined } from "../access/route-access.ts";
import { eventsVisible } from "../access/visible.ts";
import type { RoutePlugin } from "../engine.ts";
import type { SentEvent } from "../events/hub.ts";
import { matchesEvent } from "../events/match.ts";
import { Filters } from "../server/filters.ts";
import { Query } from "../server/query.ts";
import { speaks } from "../server/request.ts";
import { BodyStream } from "../server/stream.ts";
import { parseTimestamp } from "../server/time-parameter.ts";

export const eventRoutes: RoutePlugin = (app, { events }) => {
  app.get("/events", confined, async (request, reply) => {
    const query = new Query(request);
    const filters = Filters.parse(query.get("filters"));
    const since = parseTimestamp(query.get("since"));
    const until = parseTimestamp(query.get("until"));
    const exists = eventsVisible(request);
    const stream = new BodyStream(reply, "application/json");
    let chain = Promise.resolve();
    const skips = speaks(request, "imageCreateEvents") ? () => false : isImageCreate;
    const send = (event: SentEvent): void => {
      if (!skips(event) && exists(event) && matchesEvent(event, filters)) chain = chain.then(() => stream.json(event));
    };
    const stop = events.subscribe(send);
    const bound = (event: SentEvent): boolean => BigInt(event.timeNano ?? 0) >= since && (until === 0n || BigInt(event.timeNano ?? 0) <= until);
    // As with Docker, an end alone asks for what is kept, too.
    if (since > 0n || until > 0n) for (const event of events.recent().filter(bound)) send(event);
    await endOf(stream.gone, until);
    stop();
    await chain;
    stream.end();
  });
};

function isImageCreate({ Type, Action }: SentEvent): boolean {
  return Type === "image" && Action === "create";
}

/** Resolves when the client leaves, or when the time has come. */
async function endOf(gone: AbortSignal, until: bigint): Promise<void> {
  if (gone.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  gone.addEventListener("abort", () => resolve(), { once: true });
  const leftMs = Number(until / 1_000_000n) - Date.now();
  const timer = until === 0n ? undefined : setTimeout(resolve, Math.max(0, leftMs));
  await promise;
  clearTimeout(timer);
}
