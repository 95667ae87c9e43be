import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { options as all, Given, type Row } from "./options/table.ts";

/** Those that the command line has. */
const options = all.filter(({ fileOnly }) => fileOnly !== true);
const byName = new Map<string, Row>(options.map((option) => [option.flag, option]));
const byShort = new Map(
  options.flatMap((option) => (option.short === undefined ? [] : [[option.short, option] as const])),
);

/** A command line that dockerd would refuse; its message ends with the hint to `--help`. */
function usageError(message: string): InvalidArgument {
  return new InvalidArgument(`${message}\nSee 'dockerd --help'.`);
}

function store(given: Given, { flag, kind, short }: Row, text: string): void {
  try {
    given.set(flag, kind.parse(text, given.get(flag)));
  } catch (error) {
    const shown = short === undefined ? `--${flag}` : `-${short}, --${flag}`;
    throw usageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${messageOf(error)}`);
  }
}

/**
 * Reads dockerd's command line.
 * @throws InvalidArgument with dockerd's text
 */
export function parseFlags(args: readonly string[]): Given {
  const given = new Given();
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
    if (text === undefined && option.kind.placeholder === "") text = "true";
    text ??= rest.shift();
    if (text === undefined)
      throw usageError(long ? `flag needs an argument: --${name}` : `flag needs an argument: '${name}' in ${arg}`);
    store(given, option, text);
  }
  return given;
}

/** What is to be told of flags that were given although they are deprecated, one line each. */
export function deprecations(given: Given): string[] {
  return options.flatMap(({ flag, deprecated }) =>
    deprecated !== undefined && given.has(flag) ? [`Flag --${flag} has been deprecated, ${deprecated}`] : [],
  );
}

/** What `--help` says of a default; nothing of an empty one. */
function shownFallback(fallback: unknown): string {
  return typeof fallback === "object" || fallback === "" || fallback === false
    ? ""
    : ` (default ${JSON.stringify(fallback)})`;
}

/** The text of `dockerd --help`. */
export function usage(): string {
  const lines = options
    .filter(({ hidden }) => hidden !== true)
    .map(({ flag, short, kind, placeholder = kind.placeholder, help, fallback }) => {
      const name = `  ${short === undefined ? "    " : `-${short}, `}--${flag}${placeholder === "" ? "" : ` ${placeholder}`}`;
      return `${name.padEnd(40)} ${help}${shownFallback(fallback)}`;
    });
  return `\nUsage:\tdockerd [OPTIONS]\n\nA container engine that speaks Docker's API.\n\nOptions:\n${lines.join("\n")}\n`;
}
