import { InvalidArgument } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { eventsVisible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import type { SentEvent } from "../../events/hub.ts";
import { matchesEvent } from "../../events/match.ts";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parseTimestamp } from "../../server/query/time-parameter.ts";

export const eventRoutes: RoutePlugin = (app, { events }) => {
  app.get("/events", confined, async (request, reply) => {
    const query = new Query(request);
    const filters = Filters.parse(query.get("filters"));
    const since = parseTimestamp(query.get("since"));
    const until = parseTimestamp(query.get("until"));
    const exists = eventsVisible(request);
    const ends = query.get("until") !== "";
    if (ends && until < since)
      throw new InvalidArgument(
        `\`since\` time (${query.get("since")}) cannot be after \`until\` time (${query.get("until")})`,
      );
    const stream = new BodyStream(reply, "application/json");
    const skips = speaks(request, "imageCreateEvents") ? () => false : isImageCreate;
    const send = (event: SentEvent): void => {
      if (!skips(event) && exists(event) && matchesEvent(event, filters)) stream.push(event);
    };
    const stop = events.subscribe(send);
    const bound = (event: SentEvent): boolean =>
      BigInt(event.timeNano ?? 0) >= since && (!ends || BigInt(event.timeNano ?? 0) <= until);
    // As with Docker, an end alone asks for what is kept, too.
    if (since > 0n || ends) for (const event of events.recent().filter(bound)) send(event);
    await endOf(stream.gone, ends ? until : undefined);
    stop();
    stream.end();
  });
};

function isImageCreate({ Type, Action }: SentEvent): boolean {
  return Type === "image" && Action === "create";
}

/** Resolves when the client leaves, or when the time has come. */
async function endOf(gone: AbortSignal, until: bigint | undefined): Promise<void> {
  if (gone.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  gone.addEventListener("abort", () => resolve(), { once: true });
  const timer =
    until === undefined
      ? undefined
      : setTimeout(resolve, Math.min(2 ** 31 - 1, Math.max(0, Number(until / 1_000_000n) - Date.now())));
  await promise;
  clearTimeout(timer);
}
