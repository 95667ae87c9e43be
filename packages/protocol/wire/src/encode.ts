import { zero } from "./create.ts";
import type { Field, Message, MessageTable, Scalar, ValueType } from "./table.ts";
import { wireType, wireTypeOf } from "./wire-type.ts";
import { Writer } from "./writer.ts";

/** The bytes of a message; what it leaves out has its default. Fields stand in the order of their numbers. */
export function toBinary(table: MessageTable, message: Message): Uint8Array {
  const writer = new Writer();
  for (const field of table.fields) {
    const value = valueOf(field, message);
    if (value !== undefined && value !== null) write(writer, field, value);
  }
  return writer.finish();
}

/** What there is to write: a default that needs no writing counts as nothing. */
function valueOf({ localName, value, key, repeated, presence, oneof }: Field, message: Message): unknown {
  if (oneof !== undefined) {
    const group = message[oneof] as { case?: string; value?: unknown } | undefined;
    return group?.case === localName ? group.value : undefined;
  }
  const held = message[localName];
  const always = presence || repeated || key !== undefined || value.scalar === undefined;
  return !always && isZero(value.scalar!, held) ? undefined : held;
}

function isZero(scalar: Scalar, value: unknown): boolean {
  // minus zero is a value of its own
  return scalar === "bytes" ? (value as Uint8Array | undefined)?.length === 0 : Object.is(value, zero(scalar));
}

function write(writer: Writer, { number, value, key, repeated, packed }: Field, held: unknown): void {
  if (key !== undefined) {
    for (const [name, each] of Object.entries(held as object)) writeEntry(writer, number, key, value, name, each);
  } else if (packed && (held as unknown[]).length > 0) {
    const elements = new Writer();
    for (const each of held as unknown[]) elements.scalar(value.scalar!, each);
    writer.tag(number, wireType.lengthDelimited);
    writer.delimited(elements.finish());
  } else if (repeated) for (const each of held as unknown[]) writeValue(writer, number, value, each);
  else writeValue(writer, number, value, held);
}

function writeValue(writer: Writer, number: number, type: ValueType, value: unknown): void {
  writer.tag(number, wireTypeOf(type));
  if (type.table === undefined) writer.scalar(type.scalar, value);
  else writer.delimited(toBinary(type.table, value as Message));
}

function writeEntry(writer: Writer, number: number, key: Scalar, type: ValueType, name: string, value: unknown): void {
  const entry = new Writer();
  writeValue(entry, 1, { scalar: key }, keyOf(key, name));
  writeValue(entry, 2, type, value);
  writer.tag(number, wireType.lengthDelimited);
  writer.delimited(entry.finish());
}

/** A map's key from the name of its property. */
function keyOf(key: Scalar, name: string): unknown {
  if (key === "string") return name;
  if (key === "bool") return name === "true";
  return typeof zero(key) === "bigint" ? BigInt(name) : Number(name);
}
