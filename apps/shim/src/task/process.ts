import { FailedPrecondition, NotFound, Unknown } from "@longshore/errdefs";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { type ProcessExit, kill } from "@longshore/sys";
import { span } from "@longshore/telemetry";
import { Console } from "../stdio/console.ts";
import type { Shim } from "../shim.ts";
import type { Stdio, StdioRequest } from "../stdio/stdio.ts";
import { never } from "../events/timestamp.ts";

/**
 * A process of a container, init or exec: created, running, stopped. Its exit is told only when
 * start is answered and what it wrote has reached log and attached clients.
 */
export class Process {
  readonly id: string;
  readonly request: StdioRequest;
  readonly stdio: Stdio;
  readonly console = new Console();
  readonly exited: Promise<ProcessExit>;
  /** An exec's OCI process, as JSON. */
  spec: Uint8Array | undefined;
  pid = 0;
  status: Status = Status.CREATED;
  exit: ProcessExit | undefined;
  readonly #shim: Shim;
  #resolve!: (exit: ProcessExit) => void;
  #reaped = false;
  #starting: Promise<unknown> = Promise.resolve();

  constructor(shim: Shim, id: string, request: StdioRequest, stdio: Stdio) {
    this.#shim = shim;
    this.id = id;
    this.request = request;
    this.stdio = stdio;
    this.exited = new Promise((resolve) => (this.#resolve = resolve));
    shim.expectClose(stdio.channel);
  }

  get running(): boolean {
    return this.pid > 0 && !this.#reaped;
  }

  /** The word for its status. */
  get state(): string {
    return Status[this.status].toLowerCase();
  }

  /** Its start failed: nobody needs to wait for it. */
  abandon(): void {
    this.#resolve({ pid: 0, status: 0, ...never });
  }

  /** Runs `start`, one at a time, then `tell`; an exit in the meantime is told after both. */
  async start(start: () => Promise<void>, tell: () => void): Promise<void> {
    if (this.status !== Status.CREATED) throw new Unknown(`cannot start a ${this.state} process`);
    await this.#starting;
    const startAndTell = async (): Promise<void> => {
      await start();
      if (this.status === Status.CREATED) this.status = Status.RUNNING;
      tell();
    };
    const started = startAndTell();
    this.#starting = started.catch(() => undefined);
    await started;
  }

  /** The process lives. `before` runs as soon as it has ended, `after` when its output is out. */
  adopt(
    pid: number,
    exit: Promise<ProcessExit>,
    before: (exit: ProcessExit) => Promise<void> | void,
    after: (exit: ProcessExit) => void,
  ): void {
    this.pid = pid;
    const follow = async (): Promise<void> => {
      const ended = await exit;
      this.#reaped = true;
      await span("exit", async () => {
        await before(ended);
        await this.#shim.drained(this.stdio.channel);
        await this.#starting;
      });
      this.exit = ended;
      this.status = Status.STOPPED;
      after(ended);
      this.#resolve(ended);
    };
    void follow();
  }

  /** Sends a signal to this process alone. */
  signal(signal: number): void {
    if (this.pid === 0) throw new FailedPrecondition("process not created: failed precondition");
    if (this.#reaped) throw new NotFound("process already finished: not found");
    try {
      kill(this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH")
        throw new NotFound("process already finished: not found", { cause: error });
      throw error;
    }
  }

  /** Lets go of stdio and terminal; output that is still to be copied gets `patience` ms. */
  async close(patience = 10_000): Promise<void> {
    await this.stdio.close(this.pid === 0 ? 0 : patience);
    this.console.close();
  }
}
