import assert from "node:assert/strict";
import { validateIdentifier } from "./identifiers.ts";

describe("identifiers", () => {
  for (const name of ["a", "A9", "moby", "k8s.io", "a-b_c.d", "a".repeat(76)])
    it(`takes ${name}`, () => validateIdentifier(name));

  const refused: [name: string, message: string][] = [
    ["", "identifier must not be empty: invalid argument"],
    ["a b", 'identifier "a b" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument'],
    ["../x", 'identifier "../x" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument'],
    ["a\n", String.raw`identifier "a\n" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument`],
    ["a".repeat(77), `identifier "${"a".repeat(77)}" greater than maximum length (76 characters): invalid argument`],
  ];
  for (const [name, message] of refused) {
    it(`refuses ${JSON.stringify(name)}`, () =>
      assert.throws(() => validateIdentifier(name, "container.ID: "), {
        name: "InvalidArgument",
        message: `container.ID: ${message}`,
      }));
  }
});
