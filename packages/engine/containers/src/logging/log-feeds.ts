import { hostname } from "node:os";
import { messageOf, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { type DriverContext, type LogTarget, serverDriver, serverOutlets } from "@longshore/log-drivers";
import {
  type LogDrivers,
  LogFeed,
  type LogInfo,
  type LogLine,
  type Outlets,
  pluginOutlets,
  type ReadConfig,
} from "@longshore/logging";
import type { Container } from "../model/container.ts";
import { logTag, namedAttributes } from "./log-attributes.ts";
import { isFedDriver, isPluginDriver, logCacheDisabled } from "./log-options.ts";

/** How long a removal waits for a plugin, or a log server, to take the rest of a log, in milliseconds. */
const removalMs = 10_000;
const serverRemovalMs = 2000;
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

function contextOf(container: Container): DriverContext {
  return {
    info: infoOf(container),
    options: container.hostConfig.LogConfig.Config ?? {},
    tag: logTag(container),
    attributes: namedAttributes(container),
    hostname: hostname(),
  };
}

/**
 * The logs that plugins and log servers are being fed with. A container starts only when its server can be reached, as
 * with Docker; then nothing of its life waits for one but its removal, for a moment.
 */
export class LogFeeds {
  readonly #drivers: LogDrivers;
  readonly #logger: Logger;
  readonly #feeds = new Map<string, LogFeed>();
  /** Connections of containers that are being started. */
  readonly #ready = new Map<string, LogTarget>();
  readonly #closing = new AbortController();

  constructor(drivers: LogDrivers, logger: Logger) {
    this.#drivers = drivers;
    this.#logger = logger;
  }

  /** @throws InvalidArgument `error looking up logging plugin x: …` */
  async check(driver: string): Promise<void> {
    await this.#drivers.check(driver);
  }

  /** Before the container's process is made. @throws in Docker's words when its log server cannot be reached */
  async starting(container: Container): Promise<void> {
    const driver = serverDriver(container.hostConfig.LogConfig.Type);
    if (driver === undefined) return;
    const context = contextOf(container);
    if (driver.startsWithout?.(context.options) === true) return;
    this.#ready.set(container.id, await driver.open(context, this.#closing.signal));
  }

  /** The container was not started after all. */
  notStarted(container: Container): void {
    this.#takeReady(container)?.close();
  }

  #takeReady({ id }: Container): LogTarget | undefined {
    const target = this.#ready.get(id);
    this.#ready.delete(id);
    return target;
  }

  #outletsOf(container: Container): Outlets {
    const name = container.hostConfig.LogConfig.Type;
    const driver = serverDriver(name);
    return driver === undefined
      ? pluginOutlets(name, this.#drivers, infoOf(container))
      : serverOutlets(name, driver, () => contextOf(container), this.#takeReady(container));
  }

  /** The container's process runs. */
  started(container: Container): void {
    if (!isFedDriver(container.hostConfig.LogConfig.Type)) return;
    const options = {
      after: this.#feeds.get(container.id)?.close(),
      container: container.id,
      log: container.record.LogPath,
      logger: this.#logger,
      outlets: this.#outletsOf(container),
      state: container.file("log-feed.json"),
    };
    this.#feeds.set(container.id, new LogFeed(options));
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
    await feed.finish(isPluginDriver(container.hostConfig.LogConfig.Type) ? removalMs : serverRemovalMs);
    await feed.discard();
    this.#feeds.delete(container.id);
  }

  /** The engine stops. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#feeds.values()].map((feed) => feed.close()));
  }
}
