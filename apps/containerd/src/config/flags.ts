import { InvalidArgument } from "@longshore/errdefs";

/** One flag of a command line, named as containerd names it. */
export interface Flag {
  name: string;
  alias?: string;
  usage: string;
  boolean?: true;
}

export interface ParsedFlags {
  values: Map<string, string>;
  /** What stands behind the flags: the subcommand and its arguments. */
  rest: string[];
}

export const globalFlags: readonly Flag[] = [
  { name: "config", alias: "c", usage: "Path to the configuration file" },
  { name: "log-level", alias: "l", usage: "Set the logging level [trace, debug, info, warn, error, fatal, panic]" },
  { name: "address", alias: "a", usage: "Address for containerd's GRPC server" },
  { name: "root", usage: "containerd root directory" },
  { name: "state", usage: "containerd state directory" },
  { name: "help", alias: "h", usage: "Show help", boolean: true },
  { name: "version", alias: "v", usage: "Print the version", boolean: true },
];

export const publishFlags: readonly Flag[] = [
  { name: "namespace", usage: "Namespace to publish to" },
  { name: "topic", usage: "Topic of the event" },
];

/**
 * Reads leading flags in Go's manner: `-x v`, `--x v`, `-x=v`; `--` and the first plain word end them.
 * @throws InvalidArgument with Go's wording for an unknown flag or a missing value.
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): ParsedFlags {
  const values = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") return { values, rest: args.slice(at + 1) };
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg);
    if (match === null) break;
    const [, given = "", inline] = match;
    const flag = flags.find((known) => known.name === given || known.alias === given);
    if (flag === undefined) throw new InvalidArgument(`flag provided but not defined: -${given}`);
    if (flag.boolean === true) {
      values.set(flag.name, inline ?? "true");
    } else if (inline !== undefined) {
      values.set(flag.name, inline);
    } else if (at + 1 < args.length) {
      values.set(flag.name, args[++at]!);
    } else {
      throw new InvalidArgument(`flag needs an argument: -${given}`);
    }
  }
  return { values, rest: args.slice(at) };
}

/** The help text of the global command line. */
export function helpText(defaultConfig: string): string {
  const rows = globalFlags.map(({ name, alias, usage, boolean }): [string, string] => [
    `--${name}${boolean === true ? "" : " value"}${alias === undefined ? "" : `, -${alias}${boolean === true ? "" : " value"}`}`,
    name === "config" ? `${usage} (default: "${defaultConfig}")` : usage,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    "NAME:\n   containerd - container runtime daemon with containerd's API\n",
    "USAGE:\n   containerd [global options] command [command options]\n",
    "COMMANDS:\n   config    Print the default configuration (config default) or the one in use (config dump)",
    "   publish   Publish an event; its protobuf Any is read from stdin\n",
    `GLOBAL OPTIONS:\n${rows.map(([left, right]) => `   ${left.padEnd(width)}  ${right}`).join("\n")}\n`,
  ].join("\n");
}
