import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { InvalidArgument, isKind, Unknown } from "@longshore/errdefs";
import type { Plugins } from "@longshore/plugins";
import { Fifo } from "./fifo.ts";

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
      throw new InvalidArgument(`error looking up logging plugin ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
  }

  async #call(name: string, method: string, body: object, retry: boolean): Promise<void> {
    const plugin = await this.#plugins.get(name, kind);
    const { Err } = await plugin.call<{ Err?: string }>(`${kind}.${method}`, body, { retry });
    if (Err) throw new Unknown(Err);
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
