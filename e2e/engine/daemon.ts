import { type ChildProcess, spawn } from "node:child_process";
import { openSync, closeSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { connect } from "node:net";
import { until } from "../host/until.ts";

/** One daemon process under test: started, killed, started again on the same state. */
export class Daemon {
  readonly name: string;
  readonly log: string;
  /** Added to the environment of the next start. */
  env: Record<string, string>;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #socket: string;
  #child: ChildProcess | undefined;

  constructor(options: {
    name: string;
    command: string;
    args: readonly string[];
    socket: string;
    log: string;
    env?: Record<string, string>;
  }) {
    this.name = options.name;
    this.#command = options.command;
    this.#args = options.args;
    this.#socket = options.socket;
    this.env = options.env ?? {};
    this.log = options.log;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  get running(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child);
  }

  /** Resolves when the process that runs now has ended. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && !hasEnded(child)) await once(child, "exit");
  }

  /** Starts it and waits until its socket accepts connections. */
  async start(extraArgs: readonly string[] = []): Promise<void> {
    const fd = openSync(this.log, "a");
    const child = spawn(this.#command, [...this.#args, ...extraArgs], {
      stdio: ["ignore", fd, fd],
      env: { ...process.env, ...this.env },
    });
    closeSync(fd);
    this.#child = child;
    const end = (): boolean => child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    await until(
      `${this.name} answers on ${this.#socket}`,
      async () => hasEnded(child) || (await accepts(this.#socket)),
    );
    if (hasEnded(child))
      throw new Error(
        `${this.name} ended with ${child.exitCode ?? child.signalCode}: ${readFileSync(this.log, "utf8").slice(-2000)}`,
      );
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
