import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { readBytes } from "./file-bytes.ts";
import { decodeText, parseObject } from "./json-text.ts";
import { isObject } from "../kinds/json.ts";
import { Given, options, type Row } from "../options/table.ts";

/** What daemon.json says. */
export interface FileConfig {
  given: Given;
  /** Keys that are taken without having any effect, as with dockerd: names of flags that are not keys. */
  ignored: string[];
  /** Whether it has the engine's own keys, which belong elsewhere. */
  ownKeys: boolean;
}

const byKey = new Map(
  options.flatMap((option) => (option.fileKey === undefined ? [] : [[option.fileKey, option] as const])),
);
const byFormerKey = new Map(
  options.flatMap((option) => (option.former === undefined ? [] : [[option.former.key, option] as const])),
);
const flags = new Set<string>(options.filter(({ fileOnly }) => fileOnly !== true).map(({ flag }) => flag));

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

function shown({ mask }: Row, value: unknown): string {
  return mask === undefined ? show(value) : mask(String(value));
}

/** A key with the object that it stands in; undefined at the top. */
interface Member {
  under: string | undefined;
  key: string;
  value: unknown;
}

function membersOf(file: Record<string, unknown>): Member[] {
  return Object.entries(file).flatMap(([key, value]): Member[] => {
    if (!isObject(value) || byKey.get(key)?.kind.object === true) return [{ under: undefined, key, value }];
    return Object.entries(value).map(([name, member]) => ({ under: key, key: name, value: member }));
  });
}

/** The option that a member sets: one whose key it is, where that key belongs. */
function optionOf({ under, key }: Member): Row | undefined {
  const option = byKey.get(key) ?? byFormerKey.get(key);
  return option !== undefined && option.under === under ? option : undefined;
}

function checkConflicts(commandLine: Given, members: readonly Member[]): void {
  const keys = new Map(members.map(({ key, value }) => [key, value]));
  const reasons: string[] = [];
  const both = options.flatMap((option) => {
    const key = option.fileKey ?? option.flag;
    const former = option.former !== undefined && keys.has(option.former.key) ? option.former.key : undefined;
    if (former !== undefined && keys.has(key))
      reasons.push(`${former} and ${key} must not both be specified in the config file`);
    const name = keys.has(key) ? key : former;
    // Runtimes of both places are taken together.
    if (name === undefined || option.kind.merge !== undefined || !commandLine.has(option.flag)) return [];
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

function parseDaemonJson(bytes: Uint8Array, commandLine: Given): FileConfig {
  const file = parseObject(decodeText(bytes));
  const members = membersOf(file);
  const unknown = members.filter(({ key }) => !byKey.has(key) && !flags.has(key)).map(({ key }) => key);
  if (unknown.length > 0)
    throw new InvalidArgument(`the following directives don't match any configuration option: ${unknown.join(", ")}`);
  checkConflicts(commandLine, members);
  const given = new Given();
  const ignored: string[] = [];
  // An object in the place of another value has been looked into for keys: now it is refused.
  for (const [key, value] of Object.entries(file)) {
    const option = byKey.get(key);
    if (isObject(value) && option !== undefined && option.under === undefined && option.kind.object !== true)
      option.kind.read(value, [key]);
  }
  for (const member of members) {
    const option = optionOf(member);
    if (option === undefined) {
      ignored.push(member.under === undefined ? member.key : `${member.under}.${member.key}`);
      continue;
    }
    // `null` says nothing.
    if (member.value === null) continue;
    const path = member.under === undefined ? [member.key] : [member.under, member.key];
    const value = (member.key === option.former?.key ? option.former : option.kind).read(member.value, path);
    if (value !== undefined) given.set(option.flag, value);
  }
  return { given, ignored, ownKeys: given.has("longshore") };
}
