import { quoteText, ramInBytes } from "@longshore/go-values";
import { withSuggestion } from "../suggest.ts";
import { booleanField, fieldsOf } from "./fields.ts";

const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;

/** A mount of `RUN --mount`. */
export interface RunMount {
  type: (typeof types)[number];
  from: string;
  source: string;
  target: string;
  readonly: boolean;
  /** Bytes; 0 for no limit. */
  size: number;
  id: string;
  sharing: (typeof sharings)[number] | undefined;
  required: boolean;
  /** The variable that a secret is given in; empty for its id. */
  env: string | undefined;
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
}

const keys = [
  ...["type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode", "uid", "gid"],
  ...["src", "dst", "destination", "ro", "rw", "readwrite", "env"],
];

/**
 * What can be seen of a mount before the stage's variables are known: that it can be read at all, and what it is
 * taken from, which decides on the order of the stages and so cannot be a variable.
 */
export function mountSource(text: string): string {
  let from = "";
  for (const { key, value } of fieldsOf(text, "mounts")) {
    if (key !== "from" || value === undefined) continue;
    const dollar = value.indexOf("$");
    if (dollar >= 0 && dollar !== value.length - 1) {
      throw new Error("'from' doesn't support variable expansion, define alias stage instead");
    }
    from = value;
  }
  return from;
}

/** Reads a mount, its values expanded by `expand`. @throws Error with BuildKit's words */
export function parseRunMount(text: string, expand: (word: string) => string): RunMount {
  const mount: RunMount = {
    type: "bind",
    from: "",
    source: "",
    target: "",
    readonly: false,
    size: 0,
    id: "",
    sharing: undefined,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
  };
  let readonly: boolean | undefined;
  for (const { field, key, value: raw } of fieldsOf(text, "mounts")) {
    const value = raw === undefined ? undefined : expand(raw);
    if (value === undefined && !["readonly", "ro", "readwrite", "rw", "required"].includes(key)) {
      throw new Error(`invalid field '${field}' must be a key=value pair`);
    }
    switch (key) {
      case "readonly":
      case "ro":
        readonly = booleanField(key, value);
        break;
      case "readwrite":
      case "rw":
        readonly = !booleanField(key, value);
        break;
      case "required":
        if (mount.type !== "secret" && mount.type !== "ssh") throw unexpected(key, mount.type);
        mount.required = booleanField(key, value);
        break;
      default:
        setValue(mount, key, value ?? "", field);
    }
  }
  mount.readonly = readonly ?? (mount.type !== "cache" && mount.type !== "tmpfs");
  check(mount);
  return mount;
}

function setValue(mount: RunMount, key: string, value: string, field: string): void {
  switch (key) {
    case "type": {
      const type = types.find((known) => known === value.toLowerCase());
      if (type === undefined) {
        throw new Error(withSuggestion(`unsupported mount type ${quoteText(value)}`, value, types));
      }
      mount.type = type;
      return;
    }
    case "from":
    case "id":
    case "env":
      mount[key] = value;
      return;
    case "source":
    case "src":
      mount.source = value;
      return;
    case "target":
    case "dst":
    case "destination":
      mount.target = value;
      return;
    case "size": {
      if (mount.type !== "tmpfs") throw unexpected(key, mount.type);
      try {
        mount.size = ramInBytes(value);
      } catch (error) {
        throw new Error(`invalid value for size: ${value}`, { cause: error });
      }
      return;
    }
    case "sharing": {
      const sharing = sharings.find((known) => known === value.toLowerCase());
      if (sharing === undefined) {
        throw new Error(withSuggestion(`unsupported sharing value ${quoteText(value)}`, value, sharings));
      }
      mount.sharing = sharing;
      return;
    }
    case "mode":
      mount.mode = unsigned(key, value, 8);
      return;
    case "uid":
    case "gid":
      mount[key] = unsigned(key, value, 10);
      return;
    default:
      throw new Error(withSuggestion(`unexpected key '${key}' in '${field}'`, key, keys));
  }
}

function check({ type, from, source, target, id, sharing, ...mount }: RunMount): void {
  if (type === "bind" || type === "tmpfs") {
    for (const key of ["mode", "uid", "gid"] as const) {
      if (mount[key] !== undefined) throw new Error(`${key} not allowed for ${quoteText(type)} type mounts`);
    }
  }
  if (type === "secret") {
    if (from !== "") throw new Error("secret mount should not have a from");
    if (sharing !== undefined) throw new Error("secret mount should not define sharing");
    if (source === "" && target === "" && id === "") {
      throw new Error("invalid secret mount. one of source, target required");
    }
    if (source !== "" && id !== "") throw new Error("both source and id can't be set");
  }
  if (sharing !== undefined && type !== "cache") throw new Error(`invalid cache sharing set for ${type} mount`);
}

function unexpected(key: string, type: string): Error {
  return new Error(`unexpected key '${key}' for mount type '${type}'`);
}

/** A number of 32 bits without sign. */
function unsigned(key: string, value: string, base: 8 | 10): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^[0-9]+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(number <= 0xffff_ffff)) throw new Error(`invalid value ${value} for ${key}`);
  return number;
}
