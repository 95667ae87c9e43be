export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What stands in the place of each value in turn; `undefined` takes it away. */
const strange: (Json | undefined)[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  "",
  "x",
  "\0",
  "../../x",
  [],
  [null],
  [[[]]],
  {},
  { a: null },
  { a: { a: [] } },
  JSON.parse('{"__proto__":{"x":1}}') as Json,
];

function* places(tree: Json, set: (value: Json | undefined) => Json): Generator<(value: Json | undefined) => Json> {
  yield set;
  if (tree === null || typeof tree !== "object") return;
  for (const [key, member] of Object.entries(tree)) {
    yield* places(member, (value) => {
      if (Array.isArray(tree)) return set(tree.toSpliced(Number(key), 1, ...(value === undefined ? [] : [value])));
      const copy = { ...tree } as { [key: string]: Json };
      if (value === undefined) delete copy[key];
      else copy[key] = value;
      return set(copy);
    });
  }
}

/** A document with one of its values replaced by each of what a careless or hostile writer may put there. */
export function* mutations(tree: Json): Generator<Json> {
  for (const put of places(tree, (value) => value ?? null)) for (const value of strange) yield put(value);
}
