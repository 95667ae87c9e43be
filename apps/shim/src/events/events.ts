import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { isKind } from "@longshore/errdefs";
import { packAny } from "@longshore/proto";
import { log } from "../log.ts";
import { now } from "./timestamp.ts";

/** An event on its way. */
export interface Pending {
  topic: string;
  time: ReturnType<typeof now>;
  event: Any;
}

/** Delivers one event; rejects when containerd does not take it. */
export type Deliver = (event: Pending) => Promise<void>;

const most = 2048;
const firstDelay = 100;
const longestDelay = 5000;
const mostRefusals = 5;

/**
 * Sends events to containerd, in order. While containerd is away they wait and are tried again
 * for as long as it takes: an exit is never lost. Of more than 2048 the oldest are given up.
 */
export class Publisher {
  readonly #deliver: Deliver;
  readonly #report: typeof log;
  readonly #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #hurry: (() => void) | undefined;
  #closing = false;

  /** `report` is told of what is lost. */
  constructor(deliver: Deliver, report = log) {
    this.#deliver = deliver;
    this.#report = report;
  }

  publish<D extends DescMessage>(topic: string, schema: D, event: MessageInitShape<D>): void {
    this.#queue.push({ topic, time: now(), event: packAny(schema, event) });
    if (this.#queue.length > most) this.#report("warn", `event ${this.#queue.shift()!.topic} given up`);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Tries again what waits, without long pauses, for at most `patience` ms. */
  async close(patience: number): Promise<void> {
    this.#closing = true;
    this.#hurry?.();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.#running, new Promise((resolve) => (timer = setTimeout(resolve, patience)))]);
    clearTimeout(timer);
    for (const { topic } of this.#queue.splice(0)) this.#report("error", `event ${topic} could not be delivered`);
  }

  async #run(): Promise<void> {
    let delay = firstDelay;
    let refusals = 0;
    while (this.#queue.length > 0) {
      const [event] = this.#queue as [Pending];
      try {
        await this.#deliver(event);
        if (this.#queue[0] === event) this.#queue.shift();
        delay = firstDelay;
        refusals = 0;
      } catch (error) {
        // an answer, though not the wished one: containerd is there and will not change its mind
        if (!isKind(error, "Unavailable") && !isKind(error, "DeadlineExceeded") && ++refusals === mostRefusals) {
          this.#report("error", `event ${event.topic} refused`, error);
          this.#queue.shift();
          refusals = 0;
          continue;
        }
        await this.#pause(this.#closing ? firstDelay : delay);
        delay = Math.min(delay * 2, longestDelay);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
