import { decode, type Shape, struct } from "@longshore/go-json";
import { isObject } from "./json.ts";

/** How values of one type are written on the command line and in daemon.json. */
export interface Kind<T> {
  /** What `--help` shows for the value; empty for a flag that needs none. */
  placeholder: string;
  /**
   * Reads one occurrence of a flag.
   * @param before what earlier ones have given
   * @throws InvalidArgument in the words of dockerd's flag parser, without the flag's name
   */
  parse(text: string, before: T | undefined): T;
  /**
   * Reads a value of daemon.json, which is not `null`; undefined when it says nothing.
   * @param path of the value, for errors: its key, behind that of the object which holds it
   * @throws InvalidArgument with the text of dockerd's decoder
   */
  read(value: unknown, path: readonly string[]): T | undefined;
  /** An object of daemon.json is a value of it, not a group of further keys. */
  object?: true;
  /** A flag and daemon.json are taken together; else they must not both give the option. */
  merge?(file: T, flags: T): T;
  /** As the event of a reload tells it; else lists are JSON and scalars text. */
  tell?(value: T): string;
}

/** A kind whose flag gives one value each time it stands there. */
export function kind<T>(
  placeholder: string,
  { shape, parse, ...more }: Omit<Kind<T>, "placeholder" | "read"> & { shape: Shape<T | null> },
): Kind<T> {
  return { placeholder, parse, read: (value, path) => decodeMember(path, shape, value) ?? undefined, ...more };
}

/** A value of daemon.json, with the path that the decoder's errors name. @throws InvalidArgument with the text of dockerd's decoder */
export function decodeMember<T>(path: readonly string[], shape: Shape<T>, value: unknown): T | undefined {
  let inner: { shape: Shape; value: unknown } = { shape, value };
  for (const name of path.toReversed())
    inner = { shape: struct("config.Config", { [name]: inner.shape }, "Config"), value: { [name]: inner.value } };
  const decoded = decode(inner.shape, inner.value);
  return path.reduce<unknown>((object, name) => (isObject(object) ? object[name] : undefined), decoded) as
    | T
    | undefined;
}

/** The `parse` of what only a file can say. */
export function noFlag(): never {
  throw new TypeError("no flag gives this option");
}
