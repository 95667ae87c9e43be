import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { DataLoss } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import type { Labels, PackedAny } from "../contract.ts";
import type { Row } from "../database/database.ts";

/** A text column. @throws DataLoss when it holds something else */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new DataLoss(`${column} is no text`);
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new DataLoss(`${column} is no integer`);
  return value;
}

export function date(row: Row, column: string): Date {
  const value = new Date(integer(row, column));
  if (Number.isNaN(value.getTime())) throw new DataLoss(`${column} is no time`);
  return value;
}

/** A column with a JSON object of texts. */
export function labels(row: Row, column = "labels"): Labels {
  const value = parse(text(row, column), column);
  for (const entry of Object.values(value))
    if (typeof entry !== "string") throw new DataLoss(`${column} holds what is no text`);
  return value as Labels;
}

function parse(json: string, column: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parsePlain(json);
  } catch (error) {
    throw new DataLoss(`${column} is no JSON`, { cause: error });
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new DataLoss(`${column} is no JSON object`);
  return value as Record<string, unknown>;
}

/** A column with an encoded Any, or NULL. */
export function packed(row: Row, column: string): PackedAny | undefined {
  const value = row[column];
  if (value === null) return undefined;
  if (!(value instanceof Uint8Array)) throw new DataLoss(`${column} is no message`);
  return decode(value, column);
}

export function encode(message: PackedAny): Uint8Array {
  return toBinary(AnySchema, create(AnySchema, message));
}

function decode(bytes: Uint8Array, column: string): PackedAny {
  try {
    const { typeUrl, value } = fromBinary(AnySchema, bytes);
    return { typeUrl, value };
  } catch (error) {
    throw new DataLoss(`${column} is no message`, { cause: error });
  }
}

/** A column with a JSON object of encoded Anys, in base64. */
export function packedMap(row: Row, column: string): Record<string, PackedAny> {
  return Object.fromEntries(
    Object.entries(labels(row, column)).map(([key, value]) => [key, decode(Buffer.from(value, "base64"), column)]),
  );
}

export function encodeMap(map: Record<string, PackedAny>): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(map).map(([key, value]) => [key, Buffer.from(encode(value)).toString("base64")])),
  );
}
