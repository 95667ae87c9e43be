import assert from "node:assert/strict";
import { hostConfigShape, type HostConfig } from "@longshore/docker-api";
import { bool, decode, int64, leftOut, list, map, pointer, struct, text, uint16 } from "@longshore/go-json";
import { oneOf, parseRecord, readerOf, recordOf } from "./index.ts";

const shape = struct("x.Y", {
  Name: text,
  Mode: text,
  Count: uint16,
  Limit: pointer(int64),
  Flag: leftOut(bool),
  List: list(text),
  Map: map(list(struct("x.Z", { A: text }))),
  Inner: struct("x.Z", { A: text, B: leftOut(map(text)) }),
});

describe("records by the shape of bodies", () => {
  it("have all members, in order, with the defaults of their kinds", () => {
    const read = readerOf(shape);
    const empty = { Name: "", Mode: "", Count: 0, Limit: null, List: null, Map: null, Inner: { A: "" } };
    assert.deepEqual(parseRecord("{}", read), empty);
    assert.deepEqual(Object.keys(parseRecord("{}", read)), Object.keys(empty));
    const full = { ...empty, Limit: 1, Flag: true, List: ["a"], Map: { m: [{ A: "b" }], n: null } };
    assert.deepEqual(parseRecord(JSON.stringify({ ...full, More: 1 }), read), full);
    assert.deepEqual(decode(shape, full), full);
  });

  it("refuse another type, and what is refined", () => {
    const read = recordOf(shape, { Mode: oneOf("", "a") });
    assert.equal(parseRecord('{"Mode":"a"}', read).Mode, "a");
    for (const [json, reason] of [
      ['{"Mode":"b"}', /^DataLoss: Mode is "b", not one of/],
      ['{"Name":1}', /^DataLoss: Name is 1, not text/],
      ['{"Count":-1}', /^DataLoss: Count is -1, not a number from 0/],
      ['{"List":[1]}', /^DataLoss: List\[0\] is 1, not text/],
      ['{"Map":{"m":[1]}}', /^DataLoss: Map\.m\[0\] is 1, not an object/],
      ['{"Inner":{"B":{"c":1}}}', /^DataLoss: Inner\.B\.c is 1, not text/],
    ] as const)
      assert.throws(() => parseRecord(json, read), reason);
  });

  it("are what a body says of a host configuration, filled in", () => {
    const config: HostConfig = parseRecord(
      '{"Memory":1,"MemorySwappiness":null,"Init":false}',
      readerOf(hostConfigShape),
    );
    assert.deepEqual(
      [config.Memory, config.MemorySwappiness, config.Init, config.Runtime],
      [1, null, false, undefined],
    );
    assert.deepEqual(Object.keys(config).slice(0, 3), ["Binds", "ContainerIDFile", "LogConfig"]);
  });
});
