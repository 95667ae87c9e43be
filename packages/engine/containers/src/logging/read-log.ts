import { messageOf, NotImplemented } from "@longshore/errdefs";
import { type LogLine, type LogShow, openLog, type OpenLog, renderError, renderLines } from "@longshore/logging";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { noteLogDamage } from "./log-damage.ts";
import { canReadLog } from "./log-options.ts";

/** What of a log is wanted. */
export interface LogRequest {
  show: LogShow;
  /** Last lines; all when negative. */
  tail: number;
  follow: boolean;
  /** Nanoseconds of the Unix epoch; 0 for none. */
  since: bigint;
  until: bigint;
}

/** Aborts at the end of the run that is on, at once when there is none: as with Docker a restart by policy is not waited for. */
function endOf(container: Container, gone: AbortSignal): AbortSignal {
  if (!container.alive) return AbortSignal.abort();
  const ended = new AbortController();
  container.wait("next-exit", gone).then(
    () => ended.abort(),
    () => undefined,
  );
  return ended.signal;
}

/** What a plugin reads, rendered; what keeps it from that is said in the stream, as dockerd does it. */
async function* fromPlugin(
  lines: AsyncIterable<LogLine> | Error,
  show: LogShow,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (lines instanceof Error) throw lines;
    yield* renderLines(lines, show);
  } catch (error) {
    if (!signal.aborted) yield renderError(messageOf(error), show.framed);
  }
}

/**
 * Opens a container's log where it is kept: by its driver's plugin when that reads, else in the shim's file. Whoever has it
 * open follows: nothing that is printed then can be missed.
 * @param stop ends the reading; `gone` ends the wait for what is printed
 * @throws NotImplemented when its driver does not support reading
 */
export async function openContainerLog(
  context: Context,
  container: Container,
  { show, tail, follow, since, until }: LogRequest,
  { stop, gone }: { stop: AbortSignal; gone: AbortSignal },
): Promise<OpenLog> {
  const lines = await context.logFeeds
    .read(container, { since, until, tail, follow }, stop)
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  if (lines !== undefined) return { read: () => fromPlugin(lines, show, stop), close: async () => undefined };
  if (!canReadLog(container)) throw new NotImplemented("configured logging driver does not support reading");
  return openLog(
    container.record.LogPath,
    {
      tail,
      follow,
      ended: endOf(container, gone),
      signal: stop,
      damaged: (damage) => noteLogDamage(container, damage, context.log),
    },
    show,
  );
}
