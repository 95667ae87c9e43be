import { InvalidArgument } from "@longshore/errdefs";
import { bool, int64, map as mapShape, struct, text } from "@longshore/go-json";
import { decodeMember, type Kind, kind } from "./kind.ts";
import { checkRuntimes } from "./runtimes-json.ts";
import {
  parseFeature,
  parseMapMap,
  parseRuntime,
  parseUlimit,
  type RuntimeConfig,
  type UlimitConfig,
} from "./texts.ts";

/** `name=value`; one without a value has an empty one. */
export const map: Kind<Record<string, string>> = kind("map", {
  shape: mapShape(text),
  object: true,
  parse(given, before) {
    const equals = given.indexOf("=");
    return equals < 0 ? { ...before, [given]: "" } : { ...before, [given.slice(0, equals)]: given.slice(equals + 1) };
  },
});

export const mapOfMaps: Kind<Record<string, Record<string, string>>> = {
  placeholder: "mapmap",
  object: true,
  parse(given, before) {
    const [root, key, member] = parseMapMap(given);
    return { ...before, [root]: { ...before?.[root], [key]: member } };
  },
  read(value, path) {
    const maps = decodeMember(path, mapShape(mapShape(text)), value);
    return Object.fromEntries(Object.entries(maps ?? {}).map(([name, members]) => [name, members ?? {}]));
  },
};

export const features: Kind<Record<string, boolean>> = kind("map", {
  shape: mapShape(bool),
  object: true,
  parse(given, before) {
    const [name, enabled] = parseFeature(given);
    return { ...before, [name]: enabled };
  },
  tell(value) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([name, enabled]) => `${name}:${enabled}`).join(" ")}]`;
  },
});

export const runtimes: Kind<Record<string, RuntimeConfig>> = {
  placeholder: "runtime",
  object: true,
  parse(given, before) {
    const [name, runtime] = parseRuntime(given);
    if (before !== undefined && Object.hasOwn(before, name))
      throw new InvalidArgument(`runtime '${name}' was already defined`);
    return { ...before, [name]: runtime };
  },
  read: checkRuntimes,
  merge: (file, flags) => ({ ...file, ...flags }),
  tell: (value) =>
    Object.entries(value)
      .map(([name, { path = "" }]) => `${name}:${path}`)
      .join(" "),
};

const ulimit = struct("units.Ulimit", { Name: text, Hard: int64, Soft: int64 });

export const ulimits: Kind<Record<string, UlimitConfig>> = {
  placeholder: "ulimit",
  object: true,
  parse(given, before) {
    const limit = parseUlimit(given);
    return { ...before, [limit.Name]: limit };
  },
  read: (value, path) =>
    Object.fromEntries(
      Object.entries(decodeMember(path, mapShape(ulimit, "map[string]*units.Ulimit"), value) ?? {}).map(
        ([name, limit]) => [name, { Name: name, Soft: 0, Hard: 0, ...limit }],
      ),
    ),
};
