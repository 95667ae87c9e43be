import type { Kind } from "../kinds/kind.ts";

/** Values of an option that are not served. */
interface Unserved<T> {
  /** In the words of docs/configuration.md, markdown. */
  what: string;
  when(value: T): boolean;
  /** What is told when it is given: what is not served, and behind the first colon what is done instead. */
  warning(value: T): string;
}

interface Details<T> {
  short?: string;
  /** Key in daemon.json; the flag's name when absent, `null` for one that only the command line has. */
  key?: string | null;
  /** The object of daemon.json that holds the key, such as `proxies`. */
  under?: string;
  /** An older key of daemon.json that has a value of another kind. */
  former?: { key: string; read(value: unknown, path: readonly string[]): T | undefined };
  /** It has no flag: only daemon.json can give it. */
  fileOnly?: true;
  /** A flag that `--help` does not show. */
  hidden?: true;
  /** What is told of a flag that is given although it should no longer be. */
  deprecated?: string;
  /** What is done instead, for an option that this engine takes but does not serve; told when it is given, and in docs/configuration.md. */
  unserved?: string;
  /** As `unserved`, for some of its values. */
  unservedValues?: readonly Unserved<T>[];
  /** Values that ask for nothing, beside the fallback and what is empty. */
  idle?: readonly T[];
  /** It holds passwords: how its value is shown. */
  mask?(value: string): string;
  /** For the ones whose kind has another placeholder in `--help`. */
  placeholder?: string;
  help: string;
  /** Its value when nothing gives it. */
  fallback: T;
  /** Looks at the value in force. @throws InvalidArgument with dockerd's text, without its place */
  check?(value: T): void;
  /**
   * That SIGHUP puts a new value into force: `always`, so that one that daemon.json no longer names falls back, or only
   * when it `named` it, as with dockerd. Anything else needs a restart.
   */
  reload?: "always" | "named";
  /** The event of a reload does not tell it. */
  untold?: true;
}

/** The type of a key that is the flag's name. */
declare const asFlag: "(as the flag)";

/** An option of dockerd: what the command line and daemon.json may say, and what becomes of it. */
export interface Option<T = unknown> extends Details<T> {
  kind: Kind<T>;
}

/** One row of the table; its key is kept in its type, since the field's name follows from that. */
export function option<T, const Key extends string | null = typeof asFlag>(
  kind: Kind<T>,
  details: NoInfer<Details<T>> & { key?: Key },
): Option<T> & { key?: Key } {
  return { ...details, kind };
}

/** `data-root` → `dataRoot` */
type Camel<S extends string> = S extends `${infer Word}-${infer Rest}` ? `${Word}${Capitalize<Camel<Rest>>}` : S;

/** Name of an option's field in the configuration: its key of daemon.json, else its flag, in camel case. */
type FieldOf<Flag extends string, O> = O extends { key?: infer Key extends string }
  ? Camel<Key extends typeof asFlag ? Flag : Key>
  : Camel<Flag>;

export type ValueOf<O> = O extends { kind: Kind<infer T> } ? T : never;

/** The part of the configuration that a section of the table describes. */
export type Values<Section> = {
  [Flag in keyof Section & string as FieldOf<Flag, Section[Flag]>]: ValueOf<Section[Flag]>;
};

/** Key of an option in daemon.json (within `under`), `undefined` when it has none. */
export function keyOf(flag: string, { key }: Pick<Details<never>, "key">): string | undefined {
  return key === null ? undefined : (key ?? flag);
}

/** As `FieldOf`, of values. */
export function fieldOf(flag: string, { key }: Pick<Details<never>, "key">): string {
  return (key ?? flag).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
