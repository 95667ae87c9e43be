import { join } from "node:path";
import type { Reserve } from "@longshore/atomicfile";
import type { Spec } from "@longshore/oci";
import type { HealthMonitor } from "../health/monitor.ts";
import type { SpanContext } from "@longshore/telemetry";
import type { Attachment } from "../attach/attach-sessions.ts";
import type { Exec } from "../exec/exec-record.ts";
import { Mutex, Uses } from "@longshore/concurrency";
import { type ContainerRecord, type HostConfig, statusOf, type Status } from "./record.ts";
import { saveContainer, saveRecord, type Stored } from "./record-files.ts";

/** What an exit changes in a record. */
export type Ending = Pick<ContainerRecord, "State" | "NetworkSettings" | "RestartCount">;

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface WaitResult {
  StatusCode: number;
  Error?: { Message: string };
}

interface Waiter {
  condition: WaitCondition;
  resolve: (result: WaitResult) => void;
}

/** One container: its record, and what this process keeps about it beside the record. */
export class Container {
  readonly record: ContainerRecord;
  hostConfig: HostConfig;
  readonly dir: string;
  /** State changes happen one after the other. */
  readonly lock = new Mutex();
  readonly execs = new Map<string, Exec>();
  /** Clients that attached before the start. */
  readonly pendingAttachments = new Set<Attachment>();
  /** The next restart by policy, when one is due; held while the engine comes up, so that containers start in their order. */
  restart: { timer: NodeJS.Timeout | undefined; delayMs: number; held: boolean } = {
    timer: undefined,
    delayMs: 0,
    held: false,
  };
  /** The end of its process while that is being taken in: on the disk already, and shown to all at the moment of its `die`. */
  ending: Ending | undefined;
  /** Set while somebody stops or kills it: the next exit is final. */
  exitOnNext = false;
  /** Starts and restarts under way: who asked for one wants the container, so no end of it takes it away meanwhile. */
  starts = 0;
  health: HealthMonitor | undefined;
  removing = false;
  /** Copies, exports and commits under way: its removal waits for them, so that what they read stays whole. */
  readonly fileUses = new Uses();
  /** Whether containerd may know a task of it: nobody asks for one that was never made, or is known to be gone. */
  mayHaveTask = true;
  /** The spec that it runs with; read from containerd after a restart of the engine. */
  spec: Spec | undefined;
  /** The trace that the container was made or started in, until it has ended: what happens to it belongs there. */
  trace: SpanContext | undefined;
  /** A commit of this process has it paused. */
  committing = false;
  /** What is on the disk is older than `record`: the last attempt to write it failed. */
  unsaved = false;
  /** What is the matter with files of its log, by their names. */
  readonly logDamage = new Map<string, string>();
  readonly #space: Pick<Reserve, "spend">;
  readonly #waiters = new Set<Waiter>();

  /** @param space to write the record in when the disk is full */
  constructor(record: ContainerRecord, hostConfig: HostConfig, dir: string, space: Pick<Reserve, "spend">) {
    this.record = record;
    this.hostConfig = hostConfig;
    this.dir = dir;
    this.#space = space;
  }

  get id(): string {
    return this.record.ID;
  }

  /** Without the leading slash. */
  get name(): string {
    return this.record.Name.slice(1);
  }

  get status(): Status {
    return statusOf(this.record.State);
  }

  /** Whether its process lives, for all that is known: `Running` also holds while it waits for its restart. */
  get alive(): boolean {
    return this.record.State.Running && !this.record.State.Restarting && this.ending === undefined;
  }

  /** Whether it goes by itself as soon as it has ended. */
  get goesWhenEnded(): boolean {
    return this.hostConfig.AutoRemove && this.starts === 0;
  }

  /** Does what is to end with the container's start. */
  async whileStarting<T>(work: () => Promise<T>): Promise<T> {
    this.starts++;
    try {
      return await work();
    } finally {
      this.starts--;
    }
  }

  /** What belongs on the disk. */
  get #stored(): Stored {
    return { record: { ...this.record, ...this.ending }, hostConfig: this.hostConfig };
  }

  /** Writes the record, on a full disk too: the older one's place is taken, after a moment in which both are there. */
  async save(): Promise<void> {
    this.unsaved = true;
    await this.#space.spend(() => saveRecord(this.dir, this.#stored.record));
    this.unsaved = false;
  }

  async saveAll(): Promise<void> {
    await saveContainer(this.dir, this.#stored);
    this.unsaved = false;
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  /** What a waiter is told: the exit code, and what kept the container from its last start or removal. */
  result(): WaitResult {
    const { ExitCode, Error } = this.record.State;
    return Error === "" ? { StatusCode: ExitCode } : { StatusCode: ExitCode, Error: { Message: Error } };
  }

  /**
   * Resolves when the condition holds; rejects with the signal's reason when that aborts first. As with Docker the end
   * of any run ends the wait for a container that runs, also when its policy starts it again.
   */
  wait(condition: WaitCondition, signal?: AbortSignal): Promise<WaitResult> {
    const { Running, Dead } = this.record.State;
    // As far as a waiter goes, what could not be removed is gone: it is told why.
    const holds = (condition === "not-running" && !Running) || (condition === "removed" && Dead);
    if (holds) return Promise.resolve(this.result());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        condition,
        resolve: (result) => (signal?.removeEventListener("abort", abort), resolve(result)),
      };
      const abort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      if (signal?.aborted === true) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Wakes those who wait for an exit. */
  stopped(): void {
    this.#wake(({ condition }) => condition !== "removed", this.result());
  }

  /** Wakes all: it is gone, or it failed to go. Why it did not start before it was removed is told to whoever started it. */
  removed(failure?: string): void {
    const { ExitCode } = this.record.State;
    this.#wake(
      () => true,
      failure === undefined ? { StatusCode: ExitCode } : { StatusCode: ExitCode, Error: { Message: failure } },
    );
  }

  #wake(awaits: (waiter: Waiter) => boolean, result: WaitResult): void {
    for (const waiter of this.#waiters) {
      if (!awaits(waiter)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(result);
    }
  }
}
