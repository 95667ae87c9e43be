import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { InvalidArgument, messageOf, NotFound } from "@longshore/errdefs";
import type { Given } from "./flags.ts";
import { checkAccess } from "./access-json.ts";
import { isObject, kindOfJson } from "./json.ts";
import { keyOf, type Option, options } from "./options.ts";
import { checkRuntimes } from "./runtimes-json.ts";
import { checkMapMap } from "./mapmap-json.ts";
import { parseBytes } from "./values.ts";

const byKey = new Map(options.flatMap((option) => (keyOf(option) === undefined ? [] : [[keyOf(option) as string, option] as const])));

const goTypes: Partial<Record<Option["kind"], string>> = { string: "string", bool: "bool", int: "int", list: "[]string", map: "map[string]string", ip: "string" };

function check(option: Option, key: string, value: unknown): unknown {
  if (option.kind === "runtime") return checkRuntimes(value);
  if (option.kind === "mapmap") return checkMapMap(key, value);
  if (option.kind === "access") return checkAccess(value);
  const fits: Record<Option["kind"], boolean> = {
    string: typeof value === "string",
    bool: typeof value === "boolean",
    int: Number.isInteger(value),
    bytes: typeof value === "string" || Number.isInteger(value),
    list: Array.isArray(value) && value.every((entry) => typeof entry === "string"),
    pool: Array.isArray(value),
    map: isObject(value) && Object.values(value).every((entry) => typeof entry === "string"),
    mapmap: true,
    ip: typeof value === "string",
    runtime: true,
    access: true,
    ulimit: isObject(value),
  };
  if (!fits[option.kind]) {
    throw new InvalidArgument(`invalid JSON: json: cannot unmarshal ${kindOfJson(value)} into Go struct field Config.${key} of type ${goTypes[option.kind] ?? option.kind}`);
  }
  if (option.kind === "ip" && isIP(String(value)) === 0) throw new InvalidArgument(`invalid JSON: invalid IP address: ${String(value)}`);
  return option.kind === "bytes" && typeof value === "string" ? parseBytes(value) : value;
}

/** Go's way to print a value in the text about conflicts. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (isObject(value)) return `map[${Object.entries(value).map(([key, entry]) => `${key}:${show(entry)}`).join(" ")}]`;
  return String(value);
}

function conflicts(flags: Given, file: Given): string[] {
  return options.flatMap((option) => {
    if (!flags.has(option.flag) || !file.has(option.flag)) return [];
    return [`${keyOf(option)}: (from flag: ${show(flags.get(option.flag))}, from file: ${show(file.get(option.flag))})`];
  });
}

/**
 * Reads daemon.json. A missing file is an error only when it was asked for by `--config-file`.
 * @throws InvalidArgument with dockerd's text: unknown keys, wrong types, what both places set
 */
export async function readDaemonJson(path: string, flags: Given): Promise<Given> {
  try {
    return parseDaemonJson(await readText(path, flags.has("config-file")), flags);
  } catch (error) {
    throw new InvalidArgument(`unable to configure the Docker daemon with file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function readText(path: string, required: boolean): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    if (required) throw new NotFound(`open ${path}: no such file or directory`, { cause: error });
    return "";
  }
}

function parseDaemonJson(text: string, flags: Given): Given {
  const file: Given = new Map();
  if (text.trim() === "") return file;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!isObject(parsed)) throw new InvalidArgument("invalid JSON: not an object");
  const unknown = Object.keys(parsed).filter((key) => !byKey.has(key));
  if (unknown.length > 0) throw new InvalidArgument(`the following directives don't match any configuration option: ${unknown.join(", ")}`);
  for (const [key, value] of Object.entries(parsed)) {
    const option = byKey.get(key);
    if (option !== undefined) file.set(option.flag, check(option, key, value));
  }
  const both = conflicts(flags, file);
  if (both.length > 0) {
    throw new InvalidArgument(`the following directives are specified both as a flag and in the configuration file: ${both.join(", ")}`);
  }
  return file;
}
