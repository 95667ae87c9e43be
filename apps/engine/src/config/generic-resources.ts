import { InvalidArgument } from "@longshore/errdefs";

/** As `/info` tells it. */
export type GenericResource =
  | { DiscreteResourceSpec: { Kind: string; Value: number } }
  | { NamedResourceSpec: { Kind: string; Value: string } };

/**
 * `node-generic-resources`: `GPU=UUID1` names a resource, `SSD=3` counts one.
 * @throws InvalidArgument with dockerd's text
 */
export function parseGenericResources(entries: readonly string[]): GenericResource[] {
  const byKind = new Map<string, string[]>();
  const refuse = (reason: string): never => {
    throw new InvalidArgument(`could not parse GenericResource: ${reason}`);
  };
  for (const entry of entries) {
    const [kind = "", value, ...more] = entry.split("=").map((part) => part.trim());
    if (value === undefined || more.length > 0)
      return refuse(`incorrect term ${entry}, missing '=' or malformed expression`);
    byKind.set(kind, [...(byKind.get(kind) ?? []), value]);
  }
  return [...byKind].flatMap(([Kind, values]): GenericResource[] => {
    const isCount = (value: string): boolean => /^[+-]?\d+$/.test(value);
    if (values.length === 1 && isCount(values[0] ?? "")) {
      const Value = Number(values[0]);
      return Value < 0
        ? refuse(`cannot ask for negative resource ${Kind}`)
        : [{ DiscreteResourceSpec: { Kind, Value } }];
    }
    if (values.some(isCount))
      return refuse(`mixed discrete and named resources in expression '${Kind}=[${values.join(" ")}]'`);
    return values.map((Value) => ({ NamedResourceSpec: { Kind, Value } }));
  });
}
