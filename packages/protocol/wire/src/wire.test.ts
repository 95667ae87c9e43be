import assert from "node:assert/strict";
import { create, enumeration, fromBinary, message, service, toBinary } from "./index.ts";

const inner = message("t.Inner", "1 a int32;2 b string");
const outer = message(
  "t.Outer",
  "1 one 0;2 many *0;3 names string:0;4 numbers #uint32;5 maybe ?uint32;6 left string @side;7 right 0 @side;8 flag bool",
  () => [inner],
);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("wire", () => {
  it("writes what differs from the default, and what is there by presence", () => {
    assert.deepEqual(toBinary(outer, {}), bytes());
    assert.deepEqual(toBinary(outer, { maybe: 0, flag: false, numbers: [] }), bytes(0x28, 0));
    assert.deepEqual(toBinary(outer, { one: {}, flag: true }), bytes(0x0a, 0, 0x40, 1));
  });

  it("reads packed and unpacked numbers, from several places", () => {
    assert.deepEqual(fromBinary(outer, bytes(0x22, 2, 1, 2, 0x20, 3))["numbers"], [1, 2, 3]);
  });

  it("joins a message that comes in pieces", () => {
    assert.deepEqual(fromBinary(outer, bytes(0x0a, 2, 0x08, 5, 0x0a, 3, 0x12, 1, 0x78))["one"], { a: 5, b: "x" });
  });

  it("keeps the last member of a oneof", () => {
    const read = fromBinary(outer, bytes(0x32, 1, 0x78, 0x3a, 2, 0x08, 1));
    assert.deepEqual(read["side"], { case: "right", value: { a: 1, b: "" } });
    assert.deepEqual(toBinary(outer, read), bytes(0x3a, 2, 0x08, 1));
  });

  it("passes over fields that it does not know or that have another type", () => {
    assert.deepEqual(
      fromBinary(
        inner,
        bytes(0x18, 0x80, 1, 0x21, ...Array<number>(8).fill(9), 0x2a, 1, 7, 0x35, 1, 2, 3, 4, 0x0a, 1, 7, 0x08, 3),
      ),
      { a: 3, b: "" },
    );
  });

  it("refuses what is no message", () => {
    const broken = [
      bytes(0x08),
      bytes(0x12, 5, 0x61),
      bytes(0x00, 1),
      bytes(0x0b),
      bytes(0x08, ...Array<number>(11).fill(0xff)),
      bytes(0x0d, 1, 2),
      bytes(0x12, 0xff, 0xff, 0xff, 0xff, 0x0f),
    ];
    for (const each of broken)
      assert.throws(() => fromBinary(inner, each), RangeError, Buffer.from(each).toString("hex"));
  });

  it("completes messages, nested ones too, without what they do not have", () => {
    assert.deepEqual(create(outer, { one: { a: 1, c: 2 }, names: { x: {} }, side: { case: "right", value: {} } }), {
      one: { a: 1, b: "" },
      many: [],
      names: { x: { a: 0, b: "" } },
      numbers: [],
      side: { case: "right", value: { a: 0, b: "" } },
      flag: false,
    });
  });

  it("names enums both ways and binds methods to their service", () => {
    const colors = enumeration({ RED: 0, BLUE: 2 });
    assert.deepEqual([colors["BLUE"], colors[2]], [2, "BLUE"]);
    const shop = service("t.Shop", [["Buy", "buy", "unary", inner, outer]]);
    assert.deepEqual([shop.methods[0]!.parent.typeName, shop.methods[0]!.localName], ["t.Shop", "buy"]);
  });
});
