import { InvalidArgument } from "@longshore/errdefs";

export type Table = Record<string, unknown>;

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * Puts what a file says over defaults, which tell the type of each key.
 * @param prefix of names in errors, e.g. `grpc.`
 * @param ignored gets the names of keys that mean nothing
 * @throws InvalidArgument naming the key whose value is of another type
 */
export function merge(into: Table, from: Table, prefix: string, ignored: string[]): void {
  for (const [key, value] of Object.entries(from)) {
    const name = `${prefix}${key}`;
    const known = Object.hasOwn(into, key) ? into[key] : undefined;
    if (known === undefined) {
      ignored.push(name);
    } else if (isTable(known)) {
      if (!isTable(value)) throw new InvalidArgument(`${name} must be a table`);
      merge(known, value, `${name}.`, ignored);
    } else if (Array.isArray(known)) {
      if (!Array.isArray(value) || value.some((item) => typeof item !== "string"))
        throw new InvalidArgument(`${name} must be a list of strings`);
      into[key] = value;
    } else if (typeof known !== typeof value) {
      throw new InvalidArgument(`${name} must be a ${typeof known}`);
    } else {
      into[key] = value;
    }
  }
}
