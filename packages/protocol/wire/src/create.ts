import type { Field, Message, MessageTable, Scalar, ValueType } from "./table.ts";

const large = new Set<Scalar>(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);

/** What an absent scalar counts as. */
export function zero(scalar: Scalar): unknown {
  if (scalar === "string") return "";
  if (scalar === "bool") return false;
  if (scalar === "bytes") return new Uint8Array();
  return large.has(scalar) ? 0n : 0;
}

/** A message with every field at its default, without those that have none. */
export function empty({ fields }: MessageTable): Message {
  const made: Message = {};
  for (const { localName, value, key, repeated, presence, oneof } of fields) {
    if (oneof !== undefined) made[oneof] ??= { case: undefined };
    else if (key !== undefined) made[localName] = {};
    else if (repeated) made[localName] = [];
    else if (value.scalar !== undefined && !presence) made[localName] = zero(value.scalar);
  }
  return made;
}

/** A whole message from some of its fields; properties that are no fields are left out. */
export function create(table: MessageTable, init: Message = {}): Message {
  const made = empty(table);
  for (const field of table.fields) {
    if (field.oneof !== undefined) {
      const group = init[field.oneof] as { case?: string; value?: unknown } | undefined;
      if (group?.case === field.localName)
        made[field.oneof] = { case: group.case, value: whole(field.value, group.value) };
    } else if (init[field.localName] !== undefined && init[field.localName] !== null)
      made[field.localName] = wholeField(field, init[field.localName]);
  }
  return made;
}

function wholeField({ key, repeated, value }: Field, init: unknown): unknown {
  if (key !== undefined)
    return Object.fromEntries(Object.entries(init as object).map(([name, each]) => [name, whole(value, each)]));
  return repeated ? (init as unknown[]).map((each) => whole(value, each)) : whole(value, init);
}

function whole({ table }: ValueType, init: unknown): unknown {
  return table === undefined ? init : create(table, init as Message);
}
