import { type DescMessage, type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import { type Filter, parseAll } from "@longshore/filters";
import { validateIdentifier } from "@longshore/reference";
import { type Any, AnySchema, timestampNow } from "@bufbuild/protobuf/wkt";
import { type Envelope, EnvelopeSchema } from "@longshore/proto/containerd/types/types";
import { Subscription } from "./subscription.ts";
import { validateTopic } from "./topic.ts";

/** Whatever makes events known. */
export interface Publisher {
  /** @param topic e.g. `/containers/create` */
  publish<S extends DescMessage>(namespace: string, topic: string, schema: S, event: MessageInitShape<S>): void;
}

/** Passes each event to all who subscribed, whatever its namespace; keeps none. */
export class Exchange implements Publisher {
  readonly #subscriptions = new Set<Subscription>();

  publish<S extends DescMessage>(namespace: string, topic: string, schema: S, event: MessageInitShape<S>): void {
    // containerd's type URLs are bare names.
    const value = toBinary(schema, create(schema, event));
    this.publishAny(namespace, topic, create(AnySchema, { typeUrl: schema.typeName, value }));
  }

  /** Publishes a packed event now. @throws InvalidArgument for a bad topic or namespace */
  publishAny(namespace: string, topic: string, event: Any | undefined): void {
    validateIdentifier(namespace, "event envelope has invalid namespace: ");
    validateTopic(topic);
    this.#send(create(EnvelopeSchema, { timestamp: timestampNow(), namespace, topic, ...(event && { event }) }));
  }

  /** Passes an envelope on as it is; how shims' events arrive. @throws InvalidArgument */
  forward(envelope: Envelope | undefined): void {
    if (envelope === undefined) throw new InvalidArgument("event envelope is required: invalid argument");
    validateIdentifier(envelope.namespace, "event envelope has invalid namespace: ");
    validateTopic(envelope.topic);
    this.#send(envelope);
  }

  /**
   * The events from this call on that one of `filters` matches, until `signal` aborts.
   * @throws Unknown for a bad filter, as containerd does; while iterating ResourceExhausted when the
   *   subscriber is too slow
   */
  subscribe(filters: readonly string[] = [], signal?: AbortSignal): AsyncIterable<Envelope> {
    const subscription = new Subscription(parseFilters(filters), () => this.#subscriptions.delete(subscription));
    if (signal?.aborted) {
      subscription.end();
      return subscription;
    }
    this.#subscriptions.add(subscription);
    signal?.addEventListener("abort", () => subscription.end(), { once: true });
    return subscription;
  }

  #send(envelope: Envelope): void {
    for (const subscription of this.#subscriptions) subscription.offer(envelope);
  }
}

function parseFilters(filters: readonly string[]): Filter {
  try {
    return parseAll(filters);
  } catch (error) {
    throw new Unknown(`subscription error: failed parsing subscription filters: ${messageOf(error)}`, { cause: error });
  }
}
