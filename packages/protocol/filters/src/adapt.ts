/** A field of a string map: keys may hold dots, so the rest of the path is joined again. */
export function mapField(map: Readonly<Record<string, string>>, rest: readonly string[]): string | undefined {
  return rest.length === 0 ? undefined : map[rest.join(".")];
}
