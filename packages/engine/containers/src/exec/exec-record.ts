import { randomBytes } from "node:crypto";
import type { ResolvedUser } from "@longshore/docker-spec";
import type { Container } from "../model/container.ts";

/** What an exec was created with, defaults filled in. */
export interface ExecConfig {
  attachStdin: boolean;
  attachStdout: boolean;
  attachStderr: boolean;
  tty: boolean;
  detachKeys: string;
  env: string[];
  cmd: string[];
  privileged: boolean;
  user: string;
  workingDir: string;
  /** Height, width. */
  consoleSize?: [number, number];
}

/** A process to run, running, or run beside a container's init. Lives in memory, as Docker's execs do. */
export class Exec {
  readonly id = randomBytes(32).toString("hex");
  readonly container: Container;
  readonly config: ExecConfig;
  /** `undefined`: the container's own. */
  readonly user: ResolvedUser | undefined;
  /** Variables of the links that the container has, as they were when it was created. */
  readonly linkEnv: readonly string[];
  /** Resolves once the process runs, or could not be started. */
  readonly ready: Promise<void>;
  started = false;
  running = false;
  pid = 0;
  /** `null` until it has ended. */
  exitCode: number | null = null;
  /** When its record may go, in ms since 1970; set at its end. */
  endedAt: number | undefined;
  readonly ended: Promise<number>;
  readonly #end: (code: number) => void;
  readonly #markReady: () => void;

  constructor(
    container: Container,
    config: ExecConfig,
    options: { user: ResolvedUser | undefined; linkEnv: readonly string[] },
  ) {
    this.container = container;
    this.config = config;
    this.user = options.user;
    this.linkEnv = options.linkEnv;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#markReady = ready.resolve;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** Notes that the process runs. */
  begin(pid: number): void {
    this.pid = pid;
    this.#markReady();
  }

  /** Notes the end; only the first call counts. */
  finish(code: number): boolean {
    if (this.endedAt !== undefined) return false;
    this.running = false;
    this.exitCode = code;
    this.endedAt = Date.now();
    this.#end(code);
    this.#markReady();
    return true;
  }
}
