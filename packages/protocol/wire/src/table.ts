/** The scalar types of protobuf, and enums, whose values are numbers. */
export type Scalar =
  | "double"
  | "float"
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "sint32"
  | "sint64"
  | "fixed32"
  | "fixed64"
  | "sfixed32"
  | "sfixed64"
  | "bool"
  | "string"
  | "bytes"
  | "enum";

/** The value of a field, an element of a repeated one, or a value of a map. */
export type ValueType = { scalar: Scalar; table?: undefined } | { scalar?: undefined; table: MessageTable };

export interface Field {
  number: number;
  localName: string;
  value: ValueType;
  /** The type of a map's keys; the map is an object. */
  key?: Scalar;
  repeated: boolean;
  packed: boolean;
  /** A scalar whose absence differs from its zero value. */
  presence: boolean;
  /** The name of the group of which at most one field is set: `{ case, value }`. */
  oneof?: string;
}

/** A message as an object with a property for each field. */
export type Message = Record<string, unknown>;

/** A message type; its fields are worked out when first needed: most types never are. */
export class MessageTable {
  readonly typeName: string;
  readonly #text: string;
  readonly #types: (() => MessageTable[]) | undefined;
  #fields: readonly Field[] | undefined;
  #byNumber: ReadonlyMap<number, Field> | undefined;

  constructor(typeName: string, text: string, types?: () => MessageTable[]) {
    this.typeName = typeName;
    this.#text = text;
    this.#types = types;
  }

  /** Ascending by number, the order on the wire. */
  get fields(): readonly Field[] {
    return (this.#fields ??= parse(this.#text, this.#types?.() ?? []));
  }

  get byNumber(): ReadonlyMap<number, Field> {
    return (this.#byNumber ??= new Map(this.fields.map((field) => [field.number, field])));
  }
}

/**
 * A message type by its full name and its fields. A field is `number name type`, with `@group` behind
 * it for a member of a oneof; fields are separated by `;`. A type is a scalar's name or the index of a
 * message in `types`; before it stands `*` for repeated, `#` for packed, `?` for explicit presence or
 * `key:` for a map.
 */
export function message(typeName: string, text: string, types?: () => MessageTable[]): MessageTable {
  return new MessageTable(typeName, text, types);
}

/** An enum: numbers by name and names by number. */
export function enumeration(values: Record<string, number>): Record<string, number | string> {
  const both: Record<string, number | string> = { ...values };
  for (const [name, value] of Object.entries(values)) both[value] ??= name;
  return both;
}

function parse(text: string, types: MessageTable[]): Field[] {
  if (text === "") return [];
  return text.split(";").map((part) => {
    const [number, localName, type, group] = part.split(" ") as [string, string, string, string?];
    const [, mark, key, name] = /^([*#?]?)(?:(\w+):)?(\w+)$/.exec(type) as unknown as [
      string,
      string,
      Scalar | undefined,
      string,
    ];
    const table = types[Number(name)];
    return {
      number: Number(number),
      localName,
      value: table === undefined ? { scalar: name as Scalar } : { table },
      repeated: mark === "*" || mark === "#",
      packed: mark === "#",
      presence: mark === "?",
      ...(key !== undefined && { key }),
      ...(group !== undefined && { oneof: group.slice(1) }),
    };
  });
}
