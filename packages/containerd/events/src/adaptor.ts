import { type DescMessage, createRegistry, fromBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Any } from "@bufbuild/protobuf/wkt";
import { file_containerd_events_events } from "@longshore/proto/containerd/events/events";
import { file_containerd_services_images_v1_images } from "@longshore/proto/containerd/services/images/v1/images";
import type { Envelope } from "@longshore/proto/containerd/types/types";
import type { Adaptor } from "@longshore/filters";

/** The events that can be filtered by their fields; of others a filter sees only the envelope. */
const known = createRegistry(file_containerd_events_events, file_containerd_services_images_v1_images);

/** How filters see an event: `namespace`, `topic` and `event.<field>`. The event is decoded once, and only if asked for. */
export function envelopeAdaptor(envelope: Envelope): Adaptor {
  let event: ReflectMessage | null | undefined;
  return ([field, ...rest]) => {
    switch (field) {
      case "namespace":
        return envelope.namespace || undefined;
      case "topic":
        return envelope.topic || undefined;
      case "event":
        event ??= decode(envelope.event) ?? null;
        return event === null ? undefined : valueAt(event, rest);
      default:
        return undefined;
    }
  };
}

function decode(event: Any | undefined): ReflectMessage | undefined {
  if (event === undefined) return undefined;
  const schema: DescMessage | undefined = known.getMessage(event.typeUrl.slice(event.typeUrl.lastIndexOf("/") + 1));
  if (schema === undefined) return undefined;
  try {
    return reflect(schema, fromBinary(schema, event.value));
  } catch {
    // Whoever published it wrote nonsense; no filter on its fields can match.
    return undefined;
  }
}

/** Text, booleans, maps of text and messages of these; numbers cannot be filtered by, as in containerd. */
function valueAt(message: ReflectMessage, [name, ...rest]: readonly string[]): string | undefined {
  const field = message.desc.fields.find((candidate) => candidate.name === name);
  if (field === undefined) return undefined;
  if (field.fieldKind === "map") {
    const value: unknown = message.get(field).get(rest.join("."));
    return typeof value === "string" ? value : undefined;
  }
  if (field.fieldKind === "message") return message.isSet(field) ? valueAt(message.get(field), rest) : undefined;
  if (field.fieldKind !== "scalar" || rest.length > 0) return undefined;
  const value: unknown = message.get(field);
  if (typeof value === "boolean") return String(value);
  return typeof value === "string" ? value || undefined : undefined;
}
