import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { AnySchema, create, fromBinary, toBinary } from "@longshore/proto/message";

/**
 * Wraps a message as containerd does: the bare full name as type URL, without the
 * `type.googleapis.com/` prefix that the protobuf library would add.
 */
export function packAny<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any {
  return create(AnySchema, { typeUrl: schema.typeName, value: toBinary(schema, create(schema, init)) });
}

/** Decodes an Any if it holds `schema`; a type URL counts by what stands behind its last slash. */
export function unpackAny<D extends DescMessage>(any: Any | undefined, schema: D): MessageShape<D> | undefined {
  if (any === undefined || any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1) !== schema.typeName) return undefined;
  return fromBinary(schema, any.value);
}
