import { boolOf } from "@longshore/go-values";
import { withSuggestion } from "../suggest.ts";
import { csvFields } from "./csv.ts";
import type { Device } from "./instruction.ts";

/** Reads `RUN --device=vendor.com/class=name,required`. @throws Error with BuildKit's words */
export function parseDevice(text: string): Device {
  let fields: string[];
  try {
    fields = csvFields(text);
  } catch (error) {
    throw new Error(`failed to parse csv devices: ${(error as Error).message}`, { cause: error });
  }
  const device: Device = { name: "", required: false };
  for (const field of fields) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? undefined : field.slice(equals + 1);
    if (key === "required") {
      const required = value === undefined ? true : boolOf(value);
      if (required === undefined) throw new Error(`invalid value for ${key}: ${value}`);
      device.required = required;
    } else if (key === "name" && value !== undefined) {
      if (device.name !== "") throw new Error(`device name already set to ${device.name}`);
      device.name = value;
    } else if (device.name === "") device.name = field;
    else if (value === undefined) throw new Error(`invalid field '${field}' must be a key=value pair`);
    else throw new Error(withSuggestion(`unexpected key '${key}' in '${field}'`, key, ["name", "required"]));
  }
  return device;
}
