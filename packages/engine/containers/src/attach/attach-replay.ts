import { once } from "node:events";
import type { Duplex } from "node:stream";
import { NotImplemented } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { type LogEnd, openLog } from "@longshore/logging";
import type { Container } from "../model/container.ts";
import { noteLogDamage } from "../logging/log-damage.ts";
import { canReadLog } from "../logging/log-options.ts";

/** What a client sees before its streams: fixed by `open`, at the moment in which they begin, and read afterwards. */
export interface Replay {
  open: (end: LogEnd | undefined) => Promise<OpenReplay>;
}

interface OpenReplay {
  /** Resolves when the client has taken it, or has gone. */
  show: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * What is in a container's log, for `logs=1`. No more of it is read than the client takes.
 * @throws NotImplemented when the log cannot be read
 */
export function logReplay(
  container: Container,
  client: Duplex,
  streams: { stdout: boolean; stderr: boolean },
  logger: Logger,
): Replay {
  if (!canReadLog(container)) throw new NotImplemented("configured logging driver does not support reading");
  const gone = new AbortController();
  if (client.destroyed) gone.abort();
  client.once("close", () => gone.abort());
  const options = {
    tail: -1,
    follow: false,
    ended: AbortSignal.abort(),
    signal: gone.signal,
    damaged: (damage: Parameters<typeof noteLogDamage>[1]) => noteLogDamage(container, damage, logger),
  };
  const show = {
    ...streams,
    framed: !container.record.Config.Tty,
    timestamps: false,
    details: false,
    since: 0n,
    until: 0n,
  };
  const open = async (end: LogEnd | undefined): Promise<OpenReplay> => {
    const log = await openLog(container.record.LogPath, { ...options, end }, show);
    const toClient = async (): Promise<void> => {
      for await (const bytes of log.read()) {
        if (gone.signal.aborted) return;
        if (!client.write(bytes)) await once(client, "drain", { signal: gone.signal }).catch(() => undefined);
      }
    };
    return { show: toClient, close: log.close };
  };
  return { open };
}
