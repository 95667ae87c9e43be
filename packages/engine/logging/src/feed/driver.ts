import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { InvalidArgument, isKind, messageOf, Unknown } from "@longshore/errdefs";
import type { Plugins } from "@longshore/plugins";
import { type LogLine, timeOf } from "../line.ts";
import { Fifo } from "./fifo.ts";
import { readEntries } from "./read-entries.ts";

const kind = "LogDriver";

/** What a log driver is told about a container: Docker's fields. */
export interface LogInfo {
  Config: Record<string, string>;
  ContainerID: string;
  ContainerName: string;
  ContainerEntrypoint: string;
  ContainerArgs: string[];
  ContainerImageID: string;
  ContainerImageName: string;
  ContainerCreated: string;
  ContainerEnv: string[] | null;
  ContainerLabels: Record<string, string> | null;
  LogPath: string;
  DaemonName: string;
}

/** Which part of a log a driver is asked for. */
export interface ReadConfig {
  /** Nanoseconds since 1970; 0 for no bound. */
  since: bigint;
  until: bigint;
  /** How many lines from the end; negative for all. */
  tail: number;
  follow: boolean;
}

/** How long a driver may think about what it can do, in milliseconds. */
const capabilitiesMs = 5000;

/** Log drivers behind Docker's plugin protocol. */
export class LogDrivers {
  readonly #plugins: Plugins;
  readonly #dir: string;

  /** @param dir for FIFOs; it exists */
  constructor(plugins: Plugins, dir: string) {
    this.#plugins = plugins;
    this.#dir = dir;
  }

  /** @throws InvalidArgument `error looking up logging plugin x: …` when there is no such plugin */
  async check(name: string): Promise<void> {
    await this.#plugins.get(name, kind).catch((error: unknown) => {
      throw new InvalidArgument(
        `error looking up logging plugin ${name}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    });
  }

  async #call(name: string, method: string, body: object, retry: boolean): Promise<void> {
    const plugin = await this.#plugins.get(name, kind);
    const { Err } = await plugin.call<{ Err?: string }>(`${kind}.${method}`, body, { retry });
    if (Err) throw new Unknown(Err);
  }

  /** Whether a driver reads logs itself. @throws Unavailable, DeadlineExceeded, NotFound when it is away */
  async canRead(name: string): Promise<boolean> {
    const options = { retry: false, timeoutMs: capabilitiesMs };
    try {
      const plugin = await this.#plugins.get(name, kind, options);
      const { Cap } = await plugin.call<{ Cap?: { ReadLogs?: boolean } }>(`${kind}.Capabilities`, undefined, options);
      return Cap?.ReadLogs === true;
    } catch (error) {
      // Older drivers have no such method.
      if (isKind(error, "Unknown")) return false;
      throw error;
    }
  }

  /**
   * Has a driver read a log, records as they come. @throws Unknown `error getting log reader: …` at once, and
   * `error decoding log message: …` from what is given
   */
  async read(
    name: string,
    info: LogInfo,
    { since, until, tail, follow }: ReadConfig,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<LogLine>> {
    try {
      const plugin = await this.#plugins.get(name, kind, { retry: false });
      const body = { Info: info, Config: { Since: timeOf(since), Until: timeOf(until), Tail: tail, Follow: follow } };
      // Whoever follows may wait long for the first line.
      return readEntries(
        await plugin.stream(`${kind}.ReadLogs`, body, { signal, ...(follow ? { timeoutMs: 2 ** 31 - 1 } : {}) }),
      );
    } catch (error) {
      throw new Unknown(`error getting log reader: ${messageOf(error)}`, { cause: error });
    }
  }

  /** The path of a FIFO that does not exist yet. */
  newFifo(): string {
    return join(this.#dir, randomBytes(32).toString("hex"));
  }

  /** Has the driver read `path`, which is made for it. @throws what keeps it from that */
  async start(name: string, path: string, info: LogInfo, signal: AbortSignal): Promise<Fifo> {
    Fifo.make(path);
    try {
      await this.#call(name, "StartLogging", { File: path, Info: info }, false);
      return await Fifo.open(path, signal);
    } catch (error) {
      await Fifo.remove(path);
      throw error;
    }
  }

  /** Tells the driver that nothing more comes. @throws Unavailable, NotFound, DeadlineExceeded when it is not there to hear that */
  async stop(name: string, path: string): Promise<void> {
    try {
      await this.#call(name, "StopLogging", { File: path }, false);
    } catch (error) {
      // One that knows nothing of the FIFO any more has been restarted, and is there.
      if (!isKind(error, "Unknown")) throw error;
    } finally {
      await Fifo.remove(path);
    }
  }
}
