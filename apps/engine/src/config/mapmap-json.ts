import { InvalidArgument } from "@longshore/errdefs";
import { isObject, kindOfJson } from "./json.ts";

/** Checks a map of maps of text in daemon.json. @throws InvalidArgument with the text of dockerd's decoder */
export function checkMapMap(key: string, value: unknown): Record<string, Record<string, string>> {
  const refuse = (wrong: unknown, path: string, type: string): never => {
    throw new InvalidArgument(`invalid JSON: json: cannot unmarshal ${kindOfJson(wrong)} into Go struct field Config.${path} of type ${type}`);
  };
  if (!isObject(value)) return refuse(value, key, "map[string]map[string]string");
  for (const [root, map] of Object.entries(value)) {
    if (!isObject(map)) return refuse(map, `${key}.${root}`, "map[string]string");
    for (const [name, text] of Object.entries(map)) if (typeof text !== "string") refuse(text, `${key}.${root}.${name}`, "string");
  }
  return value as Record<string, Record<string, string>>;
}
