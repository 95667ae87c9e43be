import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescService,
  type Message,
  ScalarType,
  create,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import * as wire from "@longshore/wire";

const gen = join(import.meta.dirname, "../gen");
const files = globSync("**/*_pb.js", { cwd: gen });

const load = (path: string): Promise<Record<string, unknown>> =>
  import(pathToFileURL(join(gen, path)).href) as Promise<Record<string, unknown>>;

/** Numbers that differ from run to run would hide what failed: a fixed sequence. */
let state = 1;
const random = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
const random64 = (): bigint =>
  (BigInt(random(0x7fffffff)) << 33n) | (BigInt(random(0x7fffffff)) << 2n) | BigInt(random(4));

const texts = ["", "a", "Grüße, 世界 🎉", "x".repeat(200), "\ufeffmark"];
const scalars: Record<ScalarType, () => unknown> = {
  [ScalarType.DOUBLE]: () => [0, -0, 1.5, -1e300, Infinity][random(5)],
  [ScalarType.FLOAT]: () => [0, 1.5, -0.25][random(3)],
  [ScalarType.INT32]: () => [0, 1, -1, 0x7fffffff, -0x80000000][random(5)],
  [ScalarType.SINT32]: () => [0, 1, -1, 0x7fffffff, -0x80000000][random(5)],
  [ScalarType.SFIXED32]: () => [0, 1, -1][random(3)],
  [ScalarType.UINT32]: () => [0, 1, 127, 128, 300, 0xffffffff][random(6)],
  [ScalarType.FIXED32]: () => [0, 1, 0xffffffff][random(3)],
  [ScalarType.INT64]: () => [0n, 1n, -1n, BigInt.asIntN(64, random64())][random(4)],
  [ScalarType.SINT64]: () => [0n, 1n, -1n, BigInt.asIntN(64, random64())][random(4)],
  [ScalarType.SFIXED64]: () => [0n, -1n, BigInt.asIntN(64, random64())][random(3)],
  [ScalarType.UINT64]: () => [0n, 1n, BigInt.asUintN(64, random64())][random(3)],
  [ScalarType.FIXED64]: () => [0n, BigInt.asUintN(64, random64())][random(2)],
  [ScalarType.BOOL]: () => random(2) === 1,
  [ScalarType.STRING]: () => texts[random(texts.length)],
  [ScalarType.BYTES]: () => Uint8Array.from({ length: random(5) }, () => random(256)),
};

function randomValue(
  field: { scalar: ScalarType | undefined; enum: DescEnum | undefined; message: DescMessage | undefined },
  depth: number,
): unknown {
  if (field.message !== undefined) return randomMessage(field.message, depth + 1);
  if (field.enum !== undefined) return field.enum.values[random(field.enum.values.length)]!.number;
  return scalars[field.scalar!]();
}

function randomField(field: DescField, depth: number): unknown {
  const { scalar, message } = field;
  const count = depth > 3 ? 0 : random(4);
  if (field.fieldKind === "list")
    return Array.from({ length: count }, () => randomValue({ scalar, enum: field.enum, message }, depth));
  if (field.fieldKind !== "map") return randomValue({ scalar, enum: field.enum, message }, depth);
  const key =
    field.mapKey === ScalarType.STRING ? (index: number): string => texts[index]! : (index: number): number => index;
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      key(index),
      randomValue({ scalar, enum: field.enum, message }, depth),
    ]),
  );
}

function randomMessage(desc: DescMessage, depth = 0): Message {
  const init: Record<string, unknown> = {};
  for (const member of desc.members) {
    if (depth > 4 || random(4) === 0) continue;
    if (member.kind === "field") init[member.localName] = randomField(member, depth);
    else {
      const field = member.fields[random(member.fields.length)]!;
      init[member.localName] = { case: field.localName, value: randomField(field, depth) };
    }
  }
  return create(desc, init as never);
}

/** The library's messages know their type, at each level. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (name === "$typeName" ? [] : [[name, plain(each)]])),
  );
}

describe("compact modules", () => {
  it("are there for each generated one", () => assert.ok(files.length > 20));

  for (const file of files) {
    it(`${file.replace("_pb.js", ".proto")}: names, bytes and objects are the library's`, async () => {
      const [whole, compact] = await Promise.all([load(file), load(file.replace("_pb.js", "_compact.js"))]);
      for (const [name, described] of Object.entries(whole)) {
        const kind = (described as { kind?: string }).kind;
        if (kind === "message") compareMessage(described as DescMessage, compact[name] as wire.MessageTable);
        else if (kind === "service") compareService(described as DescService, compact[name] as DescService);
        else if (kind === undefined) assert.deepEqual(compact[name], { ...(described as object) }, name);
      }
    });
  }
});

function compareMessage(desc: DescMessage, table: wire.MessageTable): void {
  assert.equal(table.typeName, desc.typeName);
  assert.deepEqual(plain(wire.create(table)), plain({ ...create(desc) }), `${desc.typeName}, empty`);
  for (let round = 0; round < 20; round++) {
    const message = randomMessage(desc);
    const bytes = toBinary(desc, message);
    const decoded = wire.fromBinary(table, bytes);
    assert.deepEqual(plain(decoded), plain(fromBinary(desc, bytes)), desc.typeName);
    assert.deepEqual(plain(wire.create(table, message as never)), plain(message), desc.typeName);
    assert.equal(
      Buffer.from(wire.toBinary(table, decoded)).toString("hex"),
      Buffer.from(bytes).toString("hex"),
      desc.typeName,
    );
  }
}

function compareService(described: DescService, compact: DescService): void {
  assert.equal(compact.typeName, described.typeName);
  const view = ({ methods }: DescService): unknown =>
    methods.map(({ name, localName, methodKind, input, output, parent }) => [
      name,
      localName,
      methodKind,
      input.typeName,
      output.typeName,
      parent.typeName,
    ]);
  assert.deepEqual(view(compact), view(described));
}
