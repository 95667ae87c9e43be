import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Unavailable } from "@longshore/errdefs";
import { parseAll } from "@longshore/filters";
import { packAny } from "@longshore/proto";
import { type Envelope, EnvelopeSchema } from "@longshore/proto/containerd/types/types";

interface Subscriber {
  readonly wants: (envelope: Envelope) => boolean;
  readonly queue: Envelope[];
  wake: () => void;
  end: Error | undefined;
}

/** Brings events to who listens at that moment. */
export class EventBus {
  readonly #subscribers = new Set<Subscriber>();
  /** All that were published. */
  readonly published: Envelope[] = [];

  /** How many listen. */
  get listeners(): number {
    return this.#subscribers.size;
  }

  publish<D extends DescMessage>(namespace: string, topic: string, schema: D, event: MessageInitShape<D>): void {
    this.send(create(EnvelopeSchema, { namespace, topic, timestamp: timestampNow(), event: packAny(schema, event) }));
  }

  send(envelope: Envelope): void {
    this.published.push(envelope);
    for (const subscriber of this.#subscribers) {
      if (!subscriber.wants(envelope)) continue;
      subscriber.queue.push(envelope);
      subscriber.wake();
    }
  }

  /** Ends all subscriptions as the end of containerd does. */
  interrupt(): void {
    for (const subscriber of this.#subscribers) {
      subscriber.end = new Unavailable("Connection dropped");
      subscriber.wake();
    }
  }

  async *subscribe(filters: readonly string[], signal: AbortSignal): AsyncGenerator<Envelope> {
    const filter = parseAll(filters);
    const subscriber: Subscriber = {
      wants: ({ namespace, topic }) => filter(([field]) => ({ namespace, topic })[field ?? ""]),
      queue: [],
      wake: () => undefined,
      end: undefined,
    };
    this.#subscribers.add(subscriber);
    const stop = (): void => subscriber.wake();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const next = subscriber.queue.shift();
        if (next !== undefined) yield next;
        else if (subscriber.end !== undefined) throw subscriber.end;
        else await new Promise<void>((resolve) => (subscriber.wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#subscribers.delete(subscriber);
    }
  }
}
