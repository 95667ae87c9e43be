import type { Duplex } from "node:stream";
import type { PathStat } from "@longshore/archive";
import type {
  ContainerCreateResponse,
  ContainerInspectResponse,
  ContainerStatsResponse,
  ContainerSummary,
  ContainerTopResponse,
  PortMap,
  UpdateRequest,
} from "@longshore/docker-api";
import type { Filters } from "@longshore/list-filters";
import type { OpenLog } from "@longshore/logging";
import type { AttachOptions } from "../attach/serve.ts";
import type { ExecInspectResponse } from "../exec/exec-inspect.ts";
import type { Exec, ExecConfig } from "../exec/exec-record.ts";
import type { CreateRequest } from "../lifecycle/create/request.ts";
import type { RemoveOptions } from "../lifecycle/remove/remove.ts";
import type { StopOptions } from "../lifecycle/stop/stop.ts";
import type { ListQuery } from "../list/list.ts";
import type { LogRequest } from "../logging/read-log.ts";
import type { Container } from "../model/container.ts";
import type { ContainerFinder, ContainerSet } from "../model/store.ts";
import type { PublishedPorts } from "../networking/ports.ts";
import type { CommitOptions } from "../rootfs/commit.ts";
import type { CopyIn } from "../rootfs/files.ts";

/** Where pieces of a stream go. */
type Write = (piece: Uint8Array) => Promise<void>;

/**
 * What the routes of containers do. A container is found once, by `find`, and handed on, since a name may be another's a moment
 * later. What fails is told by Docker's messages; `shown` is the name that these show.
 */
export interface ContainersBackend {
  readonly cgroupVersion: 1 | 2;
  /** By full id, name, or unique id prefix. @throws NotFound, InvalidArgument */
  find(nameOrId: string): Container;
  /** Newest first. */
  all(): Container[];

  create(request: CreateRequest): Promise<ContainerCreateResponse>;
  start(container: Container): Promise<void>;
  stop(container: Container, options: StopOptions): Promise<void>;
  restart(container: Container, options: StopOptions, shown: string): Promise<void>;
  kill(containers: ContainerFinder, name: string, signal: string): Promise<void>;
  pause(container: Container): Promise<void>;
  unpause(container: Container): Promise<void>;
  resize(container: Container, height: number, width: number): Promise<void>;
  rename(container: Container, name: string): Promise<void>;
  /** @returns warnings */
  update(container: Container, request: UpdateRequest): Promise<string[]>;
  remove(container: Container, options: RemoveOptions, shown: string): Promise<void>;
  removeLink(containers: ContainerFinder, name: string): Promise<void>;
  /**
   * Removes those of a set that have stopped.
   * @param filters `label`, `label!`
   * @param before only those that were made before then, in milliseconds of the Unix epoch
   * @throws Conflict while another prune is under way
   */
  prune(
    existing: ContainerSet,
    filters: Filters,
    before: number | undefined,
  ): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>;

  list(existing: ContainerSet, query: ListQuery): Promise<ContainerSummary[]>;
  /** All, with the bytes that they take, for `docker system df`. */
  usage(): Promise<ContainerSummary[]>;
  inspect(container: Container, withSize: boolean): Promise<ContainerInspectResponse>;
  top(container: Container, psArgs: string): Promise<ContainerTopResponse>;
  oneStats(
    container: Container,
    options: { oneShot: boolean; signal: AbortSignal },
  ): Promise<Partial<ContainerStatsResponse>>;
  streamStats(container: Container, signal: AbortSignal): AsyncGenerator<ContainerStatsResponse, void>;
  openLog(
    container: Container,
    request: LogRequest,
    signals: { stop: AbortSignal; gone: AbortSignal },
  ): Promise<OpenLog>;

  attachKeys(container: Container, shown: string, detachKeys: string): readonly number[];
  attach(container: Container, client: Duplex, options: AttachOptions): Promise<void>;

  statFile(container: Container, shown: string, path: string): Promise<PathStat>;
  copyOut(
    container: Container,
    shown: string,
    path: string,
    begin: (stat: PathStat) => Write,
    signal: AbortSignal,
  ): Promise<void>;
  copyIn(container: Container, shown: string, options: CopyIn, source: AsyncIterable<Uint8Array>): Promise<void>;
  exportFiles(container: Container, begin: () => Write, signal: AbortSignal): Promise<void>;
  changes(container: Container): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null>;
  /** @returns the image's id */
  commit(container: Container, options: CommitOptions): Promise<string>;

  publishedPorts(container: Container): PublishedPorts;
  changePorts(container: Container, bindings: PortMap): Promise<PublishedPorts & { Warnings: string[] | null }>;
}

/** What the routes of execs do. */
export interface ExecBackend {
  /** @throws NotFound `No such exec instance: x` */
  find(id: string): Exec;
  /** @throws Unknown for keys that are none */
  checkKeys(detachKeys: string): void;
  /** @returns its id */
  create(container: Container, config: ExecConfig, shown: string): Promise<string>;
  inspect(exec: Exec): ExecInspectResponse;
  resize(exec: Exec, height: number, width: number): Promise<void>;
  /** @throws Conflict when its container cannot run it now */
  checkContainer(exec: Exec): void;
  /** Starts it with nobody attached. */
  start(exec: Exec): Promise<void>;
  /** Starts it with a client attached, and ends the client's connection with it. @param framed whether the client expects frames */
  serve(exec: Exec, client: Duplex, framed: boolean): Promise<void>;
}
