import { InvalidArgument } from "@longshore/errdefs";
import type { Labels } from "../contract.ts";

const maxBytes = 4096;

/** @param owner what they are on, as containerd names it (`image.Labels`) @throws InvalidArgument */
export function validateLabels(labels: Labels, owner: string): void {
  for (const [key, value] of Object.entries(labels)) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes <= maxBytes) continue;
    throw new InvalidArgument(
      `${owner}: label key and value length (${bytes} bytes) greater than maximum size (${maxBytes} bytes), key: ${key.slice(0, 64)}: invalid argument`,
    );
  }
}

/** Labels as they are kept: an empty value takes a label away. */
export function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}

/** `labels` with the one entry that the field path `labels.K` names taken from `update`. */
export function withEntry<T>(map: Record<string, T>, update: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _replaced, ...rest } = map;
  const value = update[key];
  return value === undefined || value === "" ? rest : { ...rest, [key]: value };
}

/**
 * The labels of an object after an update that may change nothing else.
 * @param described the object, as the error names it (`snapshot "c1"`)
 * @throws InvalidArgument for any other field path
 */
export function updateLabels(
  current: Labels,
  update: Labels,
  fieldpaths: readonly string[],
  described: string,
): Labels {
  if (fieldpaths.length === 0) return withoutEmpty(update);
  let result = current;
  for (const path of fieldpaths) {
    if (path === "labels") result = update;
    else if (path.startsWith("labels.")) result = withEntry(result, update, path.slice("labels.".length));
    else throw new InvalidArgument(`cannot update "${path}" field on ${described}: invalid argument`);
  }
  return withoutEmpty(result);
}
