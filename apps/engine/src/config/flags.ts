import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { parseAddress } from "../listeners/address.ts";
import { type Option, options as all } from "./options.ts";
import {
  parseAddr,
  parseBool,
  parseBytes,
  parseFeature,
  parseInteger,
  parseIp,
  parseMapMap,
  parsePool,
  parseRuntime,
  parseSliceIp,
  parseUlimit,
} from "./values.ts";

/** Values by flag name, only of what was given. */
export type Given = Map<string, unknown>;

/** Those that the command line has. */
const options = all.filter(({ fileOnly }) => fileOnly !== true);
const byName = new Map(options.map((option) => [option.flag, option]));
const byShort = new Map(
  options.flatMap((option) => (option.short === undefined ? [] : [[option.short, option] as const])),
);

/** A command line that dockerd would refuse; its message ends with the hint to `--help`. */
function usageError(message: string): InvalidArgument {
  return new InvalidArgument(`${message}\nSee 'dockerd --help'.`);
}

function convert(option: Option, text: string): unknown {
  switch (option.kind) {
    case "bool":
      return parseBool(text);
    case "int":
    case "int64":
      return parseInteger(text);
    case "ips":
      return option.flag === "dns" ? text.split(",").map(parseSliceIp) : [parseAddr(text)];
    case "features":
      return parseFeature(text);
    case "bytes":
      return parseBytes(text);
    case "ip":
      return parseIp(text);
    case "mapmap":
      return parseMapMap(text);
    case "pool":
      return parsePool(text);
    case "runtime":
      return parseRuntime(text);
    case "ulimit":
      return parseUlimit(text);
    case "map": {
      const equals = text.indexOf("=");
      return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }
    default:
      if (option.flag === "label" && !text.includes("=")) throw new InvalidArgument(`bad attribute format: ${text}`);
      if (option.flag === "host") parseAddress(text);
      return text;
  }
}

function store(given: Given, option: Option, shown: string, text: string): void {
  let value: unknown;
  try {
    value = convert(option, text);
  } catch (error) {
    throw usageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${messageOf(error)}`);
  }
  const before = given.get(option.flag);
  if (option.kind === "ips") given.set(option.flag, [...((before as unknown[]) ?? []), ...(value as string[])]);
  else if (option.kind === "list" || option.kind === "pool")
    given.set(option.flag, [...((before as unknown[]) ?? []), value]);
  else if (option.kind === "map" || option.kind === "features" || option.kind === "runtime") {
    const [key, member] = value as [string, unknown];
    if (option.kind === "runtime" && Object.hasOwn(Object(before), key))
      throw usageError(
        `invalid argument ${JSON.stringify(text)} for "${shown}" flag: runtime '${key}' was already defined`,
      );
    given.set(option.flag, { ...(before as object), [key]: member });
  } else if (option.kind === "mapmap") {
    const [root, key, member] = value as [string, string, string];
    const maps = (before ?? {}) as Record<string, Record<string, string>>;
    given.set(option.flag, { ...maps, [root]: { ...maps[root], [key]: member } });
  } else if (option.kind === "ulimit") {
    given.set(option.flag, { ...(before as object), [(value as { Name: string }).Name]: value });
  } else given.set(option.flag, value);
}

function shownName(option: Option): string {
  return option.short === undefined ? `--${option.flag}` : `-${option.short}, --${option.flag}`;
}

/**
 * Reads dockerd's command line.
 * @throws InvalidArgument with dockerd's text
 */
export function parseFlags(args: readonly string[]): Given {
  const given: Given = new Map();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith("-") || arg === "-" || arg === "--") throw usageError(`"dockerd" accepts no arguments`);
    const long = arg.startsWith("--");
    const equals = arg.indexOf("=");
    const name = long ? arg.slice(2, equals < 0 ? undefined : equals) : arg.slice(1, 2);
    const option = long ? byName.get(name) : byShort.get(name);
    if (option === undefined)
      throw usageError(long ? `unknown flag: --${name}` : `unknown shorthand flag: '${name}' in ${arg}`);
    let text = long ? (equals < 0 ? undefined : arg.slice(equals + 1)) : arg.slice(2).replace(/^=/, "") || undefined;
    if (text === undefined && option.kind === "bool") text = "true";
    text ??= rest.shift();
    if (text === undefined)
      throw usageError(long ? `flag needs an argument: --${name}` : `flag needs an argument: '${name}' in ${arg}`);
    store(given, option, shownName(option), text);
  }
  return given;
}

/** What is to be told of flags that were given although they are deprecated, one line each. */
export function deprecations(given: Given): string[] {
  return options.flatMap(({ flag, deprecated }) =>
    deprecated !== undefined && given.has(flag) ? [`Flag --${flag} has been deprecated, ${deprecated}`] : [],
  );
}

/** The text of `dockerd --help`. */
export function usage(): string {
  const lines = options
    .filter(({ hidden }) => hidden !== true)
    .map((option) => {
      const short = option.short === undefined ? "    " : `-${option.short}, `;
      const name = `  ${short}--${option.flag}${option.value === "" ? "" : ` ${option.value}`}`;
      const fallback =
        option.fallback === undefined || option.fallback === "" || option.fallback === false
          ? ""
          : ` (default ${JSON.stringify(option.fallback)})`;
      return `${name.padEnd(40)} ${option.help}${fallback}`;
    });
  return `\nUsage:\tdockerd [OPTIONS]\n\nA container engine that speaks Docker's API.\n\nOptions:\n${lines.join("\n")}\n`;
}
