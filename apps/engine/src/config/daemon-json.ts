import { readFile } from "node:fs/promises";
import { InvalidArgument, messageOf, NotFound } from "@longshore/errdefs";
import { readValue } from "./file-values.ts";
import type { Given } from "./flags.ts";
import { isObject } from "./json.ts";
import { decodeText, parseObject } from "./json-text.ts";
import { keyOf, type Option, options } from "./options.ts";
import { maskCredentials } from "./proxies.ts";

/** What daemon.json says. */
export interface FileConfig {
  given: Given;
  /** Keys that are taken without having any effect, as with dockerd: names of flags that are not keys. */
  ignored: string[];
}

/** Objects that are values; the members of any other object count as keys. */
const values = new Set<Option["kind"]>(["map", "mapmap", "features", "runtime", "ulimit", "builder", "access"]);
const byKey = new Map(
  options.flatMap((option) => (keyOf(option) === undefined ? [] : [[keyOf(option) as string, option] as const])),
);
const byFormerKey = new Map(
  options.flatMap((option) => (option.formerKey === undefined ? [] : [[option.formerKey, option] as const])),
);
const flags = new Set(options.filter(({ fileOnly }) => fileOnly !== true).map(({ flag }) => flag));

/** Go's way to print a value in the text about conflicts. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (isObject(value))
    return `map[${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => `${key}:${show(entry)}`)
      .join(" ")}]`;
  return String(value);
}

function shown(option: Option, value: unknown): string {
  return option.under === "proxies" ? maskCredentials(String(value)) : show(value);
}

/** A key with the object that it stands in; undefined at the top. */
interface Member {
  under: string | undefined;
  key: string;
  value: unknown;
}

function membersOf(file: Record<string, unknown>): Member[] {
  return Object.entries(file).flatMap(([key, value]): Member[] => {
    const option = byKey.get(key);
    if (!isObject(value) || (option !== undefined && values.has(option.kind)))
      return [{ under: undefined, key, value }];
    return Object.entries(value).map(([name, member]) => ({ under: key, key: name, value: member }));
  });
}

/** The option that a member sets: one whose key it is, where that key belongs. */
function optionOf({ under, key }: Member): Option | undefined {
  const option = byKey.get(key) ?? byFormerKey.get(key);
  return option !== undefined && option.under === under ? option : undefined;
}

function checkConflicts(commandLine: Given, members: readonly Member[]): void {
  const keys = new Map(members.map(({ key, value }) => [key, value]));
  const reasons: string[] = [];
  const both = options.flatMap((option) => {
    const key = keyOf(option) ?? option.flag;
    const former = option.formerKey !== undefined && keys.has(option.formerKey) ? option.formerKey : undefined;
    if (former !== undefined && keys.has(key))
      reasons.push(`${former} and ${key} must not both be specified in the config file`);
    const name = keys.has(key) ? key : former;
    // Runtimes of both places are taken together.
    if (name === undefined || option.kind === "runtime" || !commandLine.has(option.flag)) return [];
    return [
      `${name}: (from flag: ${shown(option, commandLine.get(option.flag))}, from file: ${shown(option, keys.get(name))})`,
    ];
  });
  if (both.length > 0)
    reasons.push(
      `the following directives are specified both as a flag and in the configuration file: ${both.join(", ")}`,
    );
  if (reasons.length > 0) throw new InvalidArgument(reasons.join("\n"));
}

/**
 * Reads daemon.json. A missing file is an error only when it was asked for by `--config-file`.
 * @throws InvalidArgument with dockerd's text: unknown keys, wrong types, what both places set
 */
export async function readDaemonJson(path: string, commandLine: Given): Promise<FileConfig> {
  try {
    return parseDaemonJson(await readBytes(path, commandLine.has("config-file")), commandLine);
  } catch (error) {
    throw new InvalidArgument(`unable to configure the Docker daemon with file ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readBytes(path: string, required: boolean): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    if (required) throw new NotFound(`open ${path}: no such file or directory`, { cause: error });
    return new Uint8Array();
  }
}

function parseDaemonJson(bytes: Uint8Array, commandLine: Given): FileConfig {
  const file = parseObject(decodeText(bytes));
  const members = membersOf(file);
  const unknown = members.filter(({ key }) => !byKey.has(key) && !flags.has(key)).map(({ key }) => key);
  if (unknown.length > 0)
    throw new InvalidArgument(`the following directives don't match any configuration option: ${unknown.join(", ")}`);
  checkConflicts(commandLine, members);
  const given: Given = new Map();
  const ignored: string[] = [];
  // An object in the place of another value has been looked into for keys: now it is refused.
  for (const [key, value] of Object.entries(file)) {
    const option = byKey.get(key);
    if (isObject(value) && option !== undefined && option.under === undefined && !values.has(option.kind))
      readValue(option, key, value);
  }
  for (const member of members) {
    const option = optionOf(member);
    if (option === undefined) {
      ignored.push(member.under === undefined ? member.key : `${member.under}.${member.key}`);
      continue;
    }
    const value = readValue(option, member.key, member.value);
    if (value !== undefined) given.set(option.flag, value);
  }
  return { given, ignored };
}
