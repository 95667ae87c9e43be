import { InvalidArgument } from "@longshore/errdefs";
import { isObject, kindOfJson } from "./json.ts";
import type { RuntimeConfig } from "./texts.ts";

function refuse(value: unknown, where: string, type: string): never {
  throw new InvalidArgument(`invalid JSON: json: cannot unmarshal ${kindOfJson(value)} into ${where} of type ${type}`);
}

/** `runtimes` of daemon.json. Members that nobody knows are passed over, as dockerd does. @throws InvalidArgument with dockerd's text */
export function checkRuntimes(value: unknown): Record<string, RuntimeConfig> {
  if (!isObject(value)) return refuse(value, "Go struct field Config.runtimes", "map[string]system.Runtime");
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, checkRuntime(name, entry)]));
}

function checkRuntime(name: string, value: unknown): RuntimeConfig {
  const field = `Config.runtimes.${name}`;
  if (!isObject(value)) return refuse(value, `Go struct field ${field}`, "system.Runtime");
  const { path, runtimeArgs, runtimeType, options } = value;
  for (const [key, text] of Object.entries({ path, runtimeType }))
    if (text !== undefined && typeof text !== "string") refuse(text, `Go struct field ${field}.${key}`, "string");
  if (runtimeArgs !== undefined && !Array.isArray(runtimeArgs))
    refuse(runtimeArgs, `Go struct field ${field}.runtimeArgs`, "[]string");
  for (const [index, argument] of (runtimeArgs as unknown[] | undefined)?.entries() ?? []) {
    if (typeof argument !== "string") refuse(argument, `${field}.runtimeArgs.${index}`, "string");
  }
  if (options !== undefined && !isObject(options))
    refuse(options, `Go struct field ${field}.options`, "map[string]interface {}");
  return Object.fromEntries(
    Object.entries({ path, runtimeArgs, runtimeType, options }).filter(([, member]) => member !== undefined),
  );
}
