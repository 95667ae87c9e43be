import { empty, zero } from "./create.ts";
import { Reader } from "./reader.ts";
import type { Field, Message, MessageTable, ValueType } from "./table.ts";
import { wireType, wireTypeOf } from "./wire-type.ts";

/**
 * A message from its bytes. Fields that the table does not know, or knows with another wire type, are left out.
 * @throws RangeError when the bytes are no message
 */
export function fromBinary(table: MessageTable, bytes: Uint8Array): Message {
  return decode(table, bytes, empty(table));
}

/** A message that comes in several pieces is all of them together. */
function decode(table: MessageTable, bytes: Uint8Array, into: Message): Message {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { number, type } = reader.tag();
    const field = table.byNumber.get(number);
    if (field === undefined || !read(into, field, type, reader)) reader.skip(type);
  }
  return into;
}

/** Whether the field was read: its wire type is one that it may have. */
function read(into: Message, field: Field, type: number, reader: Reader): boolean {
  const { localName, value, key, repeated, oneof } = field;
  if (key !== undefined) {
    if (type !== wireType.lengthDelimited) return false;
    readEntry(into[localName] as Message, field, reader.delimited());
    return true;
  }
  const own = wireTypeOf(value);
  if (repeated && value.scalar !== undefined && own !== wireType.lengthDelimited && type === wireType.lengthDelimited) {
    const packed = new Reader(reader.delimited());
    while (!packed.done) (into[localName] as unknown[]).push(packed.scalar(value.scalar));
    return true;
  }
  if (type !== own) return false;
  if (repeated) (into[localName] as unknown[]).push(readValue(value, reader, undefined));
  else if (oneof === undefined) into[localName] = readValue(value, reader, into[localName]);
  else {
    const before = into[oneof] as { case?: string; value?: unknown };
    into[oneof] = {
      case: localName,
      value: readValue(value, reader, before.case === localName ? before.value : undefined),
    };
  }
  return true;
}

function readValue({ scalar, table }: ValueType, reader: Reader, before: unknown): unknown {
  if (table === undefined) return reader.scalar(scalar);
  return decode(table, reader.delimited(), (before as Message | undefined) ?? empty(table));
}

/** A map's entry is a message of its key, 1, and its value, 2. */
function readEntry(map: Message, { key, value }: Field, bytes: Uint8Array): void {
  const reader = new Reader(bytes);
  let name: unknown = zero(key!);
  let held: unknown = value.table === undefined ? zero(value.scalar) : empty(value.table);
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1 && type === wireTypeOf({ scalar: key! })) name = reader.scalar(key!);
    else if (number === 2 && type === wireTypeOf(value)) held = readValue(value, reader, held);
    else reader.skip(type);
  }
  map[String(name)] = held;
}
