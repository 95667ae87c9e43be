import assert from "node:assert/strict";
import { marshalRuntime, maxUint64, unmarshalRuntime } from "./marshal.ts";

describe("runtime JSON", () => {
  it("keeps 64-bit numbers through reading and writing", () => {
    const text = '{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":18446744073709551615}';
    const parsed = unmarshalRuntime<{ hard: bigint }>(text);
    assert.equal(parsed.hard, maxUint64);
    assert.equal(new TextDecoder().decode(marshalRuntime(parsed)), text);
  });

  it("leaves small and broken numbers as they are", () => {
    assert.deepEqual(unmarshalRuntime('{"a":1,"b":1.5,"c":1e400}'), { a: 1, b: 1.5, c: Infinity });
  });
});
