import { namespaceOf } from "@longshore/containerd-client";
import type { Exchange } from "@longshore/events";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Events } from "@longshore/proto/containerd/services/events/v1/events";

export function eventsService({ exchange }: { exchange: Exchange }): ServiceImplementation<typeof Events> {
  return {
    publish({ topic, event }, context) {
      exchange.publishAny(namespaceOf(context), topic, event);
      return {};
    },
    forward({ envelope }) {
      exchange.forward(envelope);
      return {};
    },
    subscribe: ({ filters }, context) => exchange.subscribe(filters, context.signal),
  };
}
