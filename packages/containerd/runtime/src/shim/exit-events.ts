import { setTimeout as delay } from "node:timers/promises";
import { type Any } from "@bufbuild/protobuf/wkt";
import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { unpackAny } from "@longshore/proto";
import { TaskDeleteSchema, TaskExitSchema } from "@longshore/proto/containerd/events/events";
import type { Envelope } from "@longshore/proto/containerd/types/types";
import type { Exit, RuntimeEvents } from "../contract.ts";
import { publishDelete, publishExit } from "./dead-shim.ts";
import type { Task } from "../task.ts";

const exitTopic = "/tasks/exit";
const deleteTopic = "/tasks/delete";

/** How long what a shim wrote before it ended may take to be read. */
const graceMs = 100;
/** A shim that goes on for others and still tells nothing is not waited for any longer. */
const patienceMs = 10_000;

/**
 * Sees to it that the end of each deleted task is announced. The stock shim answers Delete before it
 * has sent the events of that, and at Shutdown ends with what it still has: these are sent in its place.
 */
export class ExitEvents {
  readonly #events: RuntimeEvents;
  readonly #log: Logger;
  readonly #find: (namespace: string, id: string) => Task | undefined;
  /** What was announced of a task, as topic and pid: the next task of the same name has another pid. */
  readonly #told = new WeakMap<Task, Set<string>>();
  /** Deleted tasks whose shims are still heard. */
  readonly #leaving = new Map<Task, () => void>();
  readonly #abort = new AbortController();

  /** @param find the task that has a name now */
  constructor(events: RuntimeEvents, log: Logger, find: (namespace: string, id: string) => Task | undefined) {
    this.#events = events;
    this.#log = log;
    this.#find = find;
  }

  /** Begins to hear the shims. */
  start(): void {
    const heard = this.#events.subscribe([`topic=="${exitTopic}"`, `topic=="${deleteTopic}"`], this.#abort.signal);
    const follow = async (): Promise<void> => {
      for await (const envelope of heard) this.#hear(envelope);
    };
    follow().catch((error: unknown) =>
      this.#log.error({ error: messageOf(error) }, "the ends of tasks are no longer followed"),
    );
  }

  /** Takes leave of the shim of a deleted task: its connection is closed when all was told. Never rejects. */
  async begin(task: Task, exit: Exit): Promise<void> {
    const { shim } = task;
    const told = new Promise<void>((resolve) => this.#leaving.set(task, resolve));
    if (this.#knows(task, deleteTopic, exit.pid)) this.#leaving.get(task)?.();
    const over = new AbortController();
    const late = delay(patienceMs, undefined, { ref: false, signal: over.signal }).catch(() => undefined);
    await Promise.race([told, shim.closed.then(() => delay(graceMs)), late]);
    over.abort();
    this.#leaving.delete(task);
    shim.close();
    if (this.#abort.signal.aborted || this.#knows(task, deleteTopic, exit.pid)) return;
    this.#log.warn({ id: task.id, namespace: task.namespace }, "the shim ended before it told of the deletion");
    if (!this.#knows(task, exitTopic, exit.pid)) publishExit(shim.bundle, exit, this.#events);
    publishDelete(shim.bundle, exit, this.#events);
  }

  /** Lets all shims go; nothing is announced from now on. */
  close(): void {
    this.#abort.abort();
    for (const { shim } of this.#leaving.keys()) shim.close();
  }

  #knows(task: Task, topic: string, pid: number): boolean {
    return this.#told.get(task)?.has(`${topic} ${pid}`) === true;
  }

  #hear({ namespace, topic, event }: Envelope): void {
    const end = endOf(topic, event);
    if (end === undefined) return;
    const { id, pid } = end;
    const named = this.#find(namespace, id);
    const left = [...this.#leaving.keys()].filter((task) => task.namespace === namespace && task.id === id);
    for (const task of named === undefined ? left : [named, ...left]) {
      const told = this.#told.get(task) ?? new Set();
      this.#told.set(task, told.add(`${topic} ${pid}`));
      if (topic === deleteTopic) this.#leaving.get(task)?.();
    }
  }
}

/** The task whose init the event is about. */
function endOf(topic: string, event: Any | undefined): { id: string; pid: number } | undefined {
  if (topic === deleteTopic) {
    const deleted = unpackAny(event, TaskDeleteSchema);
    return deleted && { id: deleted.containerId, pid: deleted.pid };
  }
  const exited = unpackAny(event, TaskExitSchema);
  return exited?.id === exited?.containerId && exited !== undefined
    ? { id: exited.containerId, pid: exited.pid }
    : undefined;
}
