import type { Scalar, ValueType } from "./table.ts";

/** How many bytes follow a tag, as the format numbers it; groups, the missing two, are not used. */
export const wireType = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

const fixed: Partial<Record<Scalar, number>> = {
  ...{ double: wireType.fixed64, fixed64: wireType.fixed64, sfixed64: wireType.fixed64 },
  ...{ float: wireType.fixed32, fixed32: wireType.fixed32, sfixed32: wireType.fixed32 },
  ...{ string: wireType.lengthDelimited, bytes: wireType.lengthDelimited },
};

/** The wire type of one value. */
export function wireTypeOf({ scalar }: ValueType): number {
  return scalar === undefined ? wireType.lengthDelimited : (fixed[scalar] ?? wireType.varint);
}
