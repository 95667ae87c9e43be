import { type DescField, type DescMessage, type Message, ScalarType, create } from "@bufbuild/protobuf";
import type { Random } from "@longshore/fuzz";

const digest = `sha256:${"0a".repeat(32)}`;
/** Few enough that calls meet on the same objects. */
const texts = [
  "",
  "a",
  "b",
  "c",
  "overlayfs",
  "content",
  "images",
  "snapshots/overlayfs",
  "ingests",
  digest,
  `sha512:${"0".repeat(128)}`,
  "sha256:00",
  "../../x",
  "a/b",
  "a\0b",
  "\ud83d\ude00",
  "x".repeat(5000),
  "name==a",
  "labels.a",
  "labels",
  "target",
  "annotations.a",
  "extensions.a",
  "spec",
  'labels."a"~=/(/',
  "id~=a",
  "size>5",
  "io.containerd.runc.v2",
  "containerd.io/gc.expire",
  "containerd.io/snapshot.ref",
  "application/vnd.oci.image.index.v1+json",
] as const;
const numbers32 = [0, 1, 2, -1, 999_999_999, 0x7fffffff, -0x80000000] as const;
const numbers64 = [0n, 1n, 5n, -1n, 2n ** 53n, 2n ** 60n, 2n ** 63n - 1n, -(2n ** 63n)] as const;

function scalar(random: Random, type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return random.pick(texts);
    case ScalarType.BOOL:
      return random.chance(0.5);
    case ScalarType.BYTES:
      return Buffer.from(random.pick(texts));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return random.pick(numbers64);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return BigInt.asUintN(64, random.pick(numbers64));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return random.pick(numbers32) >>> 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return random.pick([0, -1.5, Number.POSITIVE_INFINITY, Number.NaN]);
    default:
      return random.pick(numbers32);
  }
}

function value(random: Random, field: DescField, depth: number): unknown {
  if (field.message !== undefined) return randomMessage(random, field.message, depth + 1);
  if (field.enum !== undefined)
    return random.chance(0.9) ? (field.enum.values[random.int(0, field.enum.values.length - 1)]?.number ?? 0) : 77;
  return scalar(random, field.scalar ?? ScalarType.STRING);
}

function fieldValue(random: Random, field: DescField, depth: number): unknown {
  if (field.fieldKind === "list") return Array.from({ length: random.int(0, 3) }, () => value(random, field, depth));
  if (field.fieldKind !== "map") return value(random, field, depth);
  return Object.fromEntries(
    Array.from({ length: random.int(0, 3) }, () => [random.pick(texts), value(random, field, depth)]),
  );
}

/** A message with hostile values in most of its fields. */
export function randomMessage(random: Random, desc: DescMessage, depth = 0): Message {
  const init: Record<string, unknown> = {};
  for (const member of desc.members) {
    if (depth > 3 || random.chance(0.15)) continue;
    if (member.kind === "field") init[member.localName] = fieldValue(random, member, depth);
    else {
      const field = member.fields[random.int(0, member.fields.length - 1)];
      if (field !== undefined)
        init[member.localName] = { case: field.localName, value: fieldValue(random, field, depth) };
    }
  }
  return create(desc, init as never);
}
