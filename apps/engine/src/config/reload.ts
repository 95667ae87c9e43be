import { isDeepStrictEqual } from "node:util";
import { type Config, mergeConfig, readFiles } from "./config.ts";
import { type Given, options } from "./options/table.ts";

/**
 * Reads daemon.json again: the configuration that follows from `current`. What the table does not
 * reload needs a restart and stays as it is, as with dockerd.
 * @throws InvalidArgument with dockerd's text
 */
export async function reloadedConfig(current: Config, flags: Given): Promise<Config> {
  const file = await readFiles(flags);
  const fresh = mergeConfig(flags, file);
  const renewed = options
    .filter(({ flag, reload }) => reload === "always" || (reload === "named" && file.given.has(flag)))
    .map(({ field }) => field);
  // The level follows both, whichever of them was named.
  if (file.given.has("debug")) renewed.push("logLevel");
  const changes = Object.entries(fresh).filter(([field]) => field === "warnings" || renewed.includes(field));
  // Sockets stay as they were opened.
  const access = { ...fresh.access, sockets: current.access.sockets };
  const notes = isDeepStrictEqual(fresh.access.sockets, access.sockets)
    ? fresh.notes
    : [...fresh.notes, "other sockets are opened by a restart only"];
  return { ...current, ...Object.fromEntries(changes), access, notes };
}

/** The options that a reload may change, as dockerd's event of it tells them: by their names in daemon.json. */
export function toldOptions(config: Config): Record<string, string> {
  const values = new Map<string, unknown>(Object.entries(config));
  return Object.fromEntries(
    options.flatMap(({ reload, untold, flag, fileKey = flag, field, kind }) => {
      if (reload === undefined || untold === true) return [];
      const value = values.get(field);
      return [[fileKey, kind.tell?.(value) ?? (Array.isArray(value) ? JSON.stringify(value) : String(value))]];
    }),
  );
}
