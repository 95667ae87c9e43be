import { type Given, options, type Row } from "./options/table.ts";

function saysNothing(value: unknown, { fallback, idle }: Row): boolean {
  if (value === undefined || value === fallback || idle?.includes(value) === true) return true;
  if (Array.isArray(value)) return value.every((each) => each === "");
  return value !== null && typeof value === "object" && Object.keys(value).length === 0;
}

/**
 * What a configuration asks for that is not served, by name and with what is done instead.
 * @param ignored keys of daemon.json that have no effect
 */
export function warningsOf(flags: Given, file: Given, ignored: readonly string[]): string[] {
  const list = options.flatMap((option) => {
    const { flag, fileKey = flag, unserved, unservedValues = [] } = option;
    const value: unknown = flags.get(flag) ?? file.get(flag);
    if (saysNothing(value, option)) return [];
    return [
      ...(unserved === undefined ? [] : [`${fileKey} is not served: ${unserved}`]),
      ...unservedValues.filter((each) => each.when(value)).map((each) => each.warning(value)),
    ];
  });
  for (const key of ignored) list.push(`${key} in daemon.json has no effect: it is the name of a flag, not of a key`);
  return list;
}
