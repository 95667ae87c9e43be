import { withSuggestion } from "../suggest.ts";
import { booleanField, fieldsOf } from "./fields.ts";
import type { Device } from "./instruction.ts";

/** Reads `RUN --device=vendor.com/class=name,required`. @throws Error with BuildKit's words */
export function parseDevice(text: string): Device {
  const device: Device = { name: "", required: false };
  for (const { field, key, value } of fieldsOf(text, "devices")) {
    if (key === "required") device.required = booleanField(key, value);
    else if (key === "name" && value !== undefined) {
      if (device.name !== "") throw new Error(`device name already set to ${device.name}`);
      device.name = value;
    } else if (device.name === "") device.name = field;
    else if (value === undefined) throw new Error(`invalid field '${field}' must be a key=value pair`);
    else throw new Error(withSuggestion(`unexpected key '${key}' in '${field}'`, key, ["name", "required"]));
  }
  return device;
}
