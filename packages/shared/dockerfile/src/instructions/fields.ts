import { boolOf } from "@longshore/go-values";
import { csvFields } from "./csv.ts";

/** One field of a flag's value: `key=value`, or a word alone. */
export interface Field {
  /** As written. */
  field: string;
  /** In lower case; the whole of a word alone. */
  key: string;
  value: string | undefined;
}

/** The fields of `--mount` or `--device`. @throws Error `failed to parse csv <what>: …` */
export function fieldsOf(text: string, what: "mounts" | "devices"): Field[] {
  let fields: string[];
  try {
    fields = csvFields(text);
  } catch (error) {
    throw new Error(`failed to parse csv ${what}: ${(error as Error).message}`, { cause: error });
  }
  return fields.map((field) => {
    const equals = field.indexOf("=");
    return equals < 0
      ? { field, key: field.toLowerCase(), value: undefined }
      : { field, key: field.slice(0, equals).toLowerCase(), value: field.slice(equals + 1) };
  });
}

/** `required`, or `required=false`. @throws Error in BuildKit's words */
export function booleanField(key: string, value: string | undefined): boolean {
  const parsed = value === undefined ? true : boolOf(value);
  if (parsed === undefined) throw new Error(`invalid value for ${key}: ${value}`);
  return parsed;
}
