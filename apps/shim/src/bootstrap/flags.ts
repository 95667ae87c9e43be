/** The command line of a runtime v2 shim. */
export interface Flags {
  namespace: string;
  /** containerd's gRPC socket. */
  address: string;
  publishBinary: string;
  id: string;
  bundle: string;
  debug: boolean;
  version: boolean;
  info: boolean;
  /** `start`, `prepare`, `delete`, `compress FILE`, or empty: serve. */
  action: string;
  rest: string[];
}

const texts: Record<string, "namespace" | "address" | "publishBinary" | "id" | "bundle"> = {
  namespace: "namespace",
  address: "address",
  "publish-binary": "publishBinary",
  id: "id",
  bundle: "bundle",
};
const switches: Record<string, "debug" | "version" | "info"> = {
  debug: "debug",
  v: "version",
  version: "version",
  info: "info",
};

/** Parses flags in Go's style: `-x v`, `-x=v`, one or two dashes, up to the first other word. */
export function parseFlags(args: readonly string[]): Flags {
  const flags: Flags = {
    namespace: "",
    address: "",
    publishBinary: "containerd",
    id: "",
    bundle: "",
    debug: false,
    version: false,
    info: false,
    action: "",
    rest: [],
  };
  let i = 0;
  for (; i < args.length; i++) {
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(args[i]!);
    if (match === null) break;
    const [, name = "", inline] = match;
    if (Object.hasOwn(switches, name)) {
      flags[switches[name]!] = inline === undefined || /^(1|t|true)$/i.test(inline);
    } else if (Object.hasOwn(texts, name)) {
      const value = inline ?? args[++i];
      if (value === undefined) throw new Error(`flag needs an argument: -${name}`);
      flags[texts[name]!] = value;
    } else {
      throw new Error(`flag provided but not defined: -${name}`);
    }
  }
  if (args[i] === "--") i++;
  flags.action = args[i] ?? "";
  flags.rest = args.slice(i + 1);
  return flags;
}
