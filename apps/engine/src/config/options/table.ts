import { absentOptions } from "./absent.ts";
import { apiOptions } from "./api.ts";
import { commandOptions } from "./command.ts";
import { containersOptions } from "./containers.ts";
import { daemonOptions } from "./daemon.ts";
import { imagesOptions } from "./images.ts";
import { networksOptions } from "./networks.ts";
import { fieldOf, keyOf, type Option, type ValueOf } from "./option.ts";

const table = {
  ...commandOptions,
  ...daemonOptions,
  ...apiOptions,
  ...containersOptions,
  ...imagesOptions,
  ...networksOptions,
  ...absentOptions,
};
type Table = typeof table;

/** Name of an option: its flag, or what would be its flag if it had one. */
export type Flag = keyof Table;

/** An option as those see it who treat all alike. */
export interface Row extends Option {
  flag: Flag;
  /** In daemon.json; undefined when it has none there. */
  fileKey: string | undefined;
  /** Of the configuration. */
  field: string;
}

/**
 * The options of dockerd 28.5, with its names and meaning, and the engine's own: the command line, daemon.json, its
 * checks, `--help`, the configuration's types, what a reload renews and the warnings follow from this.
 */
export const options: readonly Row[] = (Object.keys(table) as Flag[]).sort().map((flag) => {
  const option: Option = table[flag];
  return { ...option, flag, fileKey: keyOf(flag, option), field: fieldOf(flag, option) };
});

/** Values by the names of their options, only of what was given. */
export class Given {
  readonly #values = new Map<Flag, unknown>();

  get<F extends Flag>(flag: F): ValueOf<Table[F]> | undefined {
    return this.#values.get(flag) as ValueOf<Table[F]> | undefined;
  }

  has(flag: Flag): boolean {
    return this.#values.has(flag);
  }

  /** @param value as the option's kind has read it */
  set(flag: Flag, value: unknown): void {
    this.#values.set(flag, value);
  }
}
