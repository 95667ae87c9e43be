import { messageOf, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { type LogDrivers, LogFeed, type LogInfo, type LogLine, type ReadConfig } from "@longshore/logging";
import type { Container } from "../model/container.ts";
import { isPluginDriver, logCacheDisabled } from "./log-options.ts";

/** How long a removal waits for a plugin to take the rest of a log, in milliseconds. */
const removalMs = 10_000;
/** How long a reader waits for a plugin to take what has been written before, in milliseconds. */
const catchUpMs = 2000;

function infoOf({ record, hostConfig }: Container): LogInfo {
  return {
    Config: hostConfig.LogConfig.Config ?? {},
    ContainerID: record.ID,
    ContainerName: record.Name,
    ContainerEntrypoint: record.Path,
    ContainerArgs: record.Args,
    ContainerImageID: record.Image,
    ContainerImageName: record.Config.Image,
    ContainerCreated: record.Created,
    ContainerEnv: record.Config.Env ?? null,
    ContainerLabels: record.Config.Labels ?? null,
    LogPath: "",
    DaemonName: "docker",
  };
}

/** The logs that plugins are being fed with. Nothing of a container's life waits for a plugin but its removal, for a moment. */
export class LogFeeds {
  readonly #drivers: LogDrivers;
  readonly #logger: Logger;
  readonly #feeds = new Map<string, LogFeed>();

  constructor(drivers: LogDrivers, logger: Logger) {
    this.#drivers = drivers;
    this.#logger = logger;
  }

  /** @throws InvalidArgument `error looking up logging plugin x: …` */
  async check(driver: string): Promise<void> {
    await this.#drivers.check(driver);
  }

  /** The container's process runs. */
  started(container: Container): void {
    const { LogConfig } = container.hostConfig;
    if (!isPluginDriver(LogConfig.Type)) return;
    const after = this.#feeds.get(container.id)?.close();
    const options = {
      driver: LogConfig.Type,
      drivers: this.#drivers,
      info: infoOf(container),
      log: container.record.LogPath,
      state: container.file("log-feed.json"),
    };
    this.#feeds.set(container.id, new LogFeed({ ...options, logger: this.#logger, after }));
  }

  /** The process has ended, and its last line is in the log. */
  ended(container: Container): void {
    void this.#feeds.get(container.id)?.finish(0);
  }

  /**
   * Has the container's plugin read its log, with all that the container has written by now.
   * @returns undefined when the driver is no plugin that reads, or is away while there is a copy of ours
   * @throws Unknown `error getting log reader: …`
   */
  async read(
    container: Container,
    config: ReadConfig,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<LogLine> | undefined> {
    const { Type: driver, Config: options } = container.hostConfig.LogConfig;
    if (!isPluginDriver(driver)) return undefined;
    const reads = await this.#drivers.canRead(driver).catch((error: unknown) => {
      if (logCacheDisabled(options))
        throw new Unknown(`error getting log reader: ${messageOf(error)}`, { cause: error });
      return false;
    });
    if (!reads) return undefined;
    await this.#feeds.get(container.id)?.caughtUp(catchUpMs);
    return this.#drivers.read(driver, infoOf(container), config, signal);
  }

  /** After a start of the engine: what was not delivered goes on, of ended containers too. */
  restored(container: Container): void {
    if (!container.record.HasBeenStartedBefore) return;
    this.started(container);
    if (!container.alive) this.ended(container);
  }

  /** Before the container's files go. */
  async removed(container: Container): Promise<void> {
    const feed = this.#feeds.get(container.id);
    if (feed === undefined) return;
    await feed.finish(removalMs);
    await feed.discard();
    this.#feeds.delete(container.id);
  }

  /** The engine stops. */
  async close(): Promise<void> {
    await Promise.all([...this.#feeds.values()].map((feed) => feed.close()));
  }
}
