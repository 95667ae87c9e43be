import { type DescField, type DescMessage, type Message, ScalarType, create } from "@bufbuild/protobuf";
import type { Random } from "@longshore/fuzz";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { packAny } from "@longshore/proto";
import { OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import {
  DataSchema,
  ImageExportStreamSchema,
  ImageImportStreamSchema,
  ImageStoreSchema,
  OCIRegistrySchema,
  WindowUpdateSchema,
} from "@longshore/proto/containerd/types/transfer/transfer";
import { StreamInitSchema } from "@longshore/proto/containerd/services/streaming/v1/streaming";

/** Of an empty archive, 1024 zeros. */
export const emptyLayer = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
const digest = emptyLayer;
/** What fields of any type hold where they are understood. */
const packed = [
  OptionsSchema,
  DataSchema,
  WindowUpdateSchema,
  ImageStoreSchema,
  ImageExportStreamSchema,
  ImageImportStreamSchema,
  OCIRegistrySchema,
  StreamInitSchema,
] as unknown as [DescMessage, ...DescMessage[]];

const specType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
const specs = [
  "{}",
  "null",
  '{"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"cwd":"/","args":["/a"]},"linux":{}}',
  `{"root":{"path":"/"},"mounts":[{"destination":"../x"}],"hooks":{"prestart":[{"path":"a"}]}}`,
] as const;

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
  "application/vnd.oci.image.layer.v1.tar",
  "docker.io/library/a:latest",
  "127.0.0.1:1/a:b",
  "shim",
  "/a",
  "tmpfs",
] as const;
const numbers32 = [0, 1, 2, -1, 999_999_999, 0x7fffffff, -0x80000000] as const;
const numbers64 = [0n, 1n, 5n, 1024n, -1n, 2n ** 53n, 2n ** 60n, 2n ** 63n - 1n, -(2n ** 63n)] as const;

/** What a field's name asks for, so that calls come further than the first check. */
const meant: Record<string, string> = {
  containerId: "a",
  id: "a",
  sandboxId: "a",
  execId: "b",
  sandboxer: "shim",
  snapshotter: "overlayfs",
  key: "a",
  digest: emptyLayer,
  mediaType: "application/vnd.oci.image.layer.v1.tar",
  topic: "/a",
  reference: "127.0.0.1:1/a:b",
  stream: "a",
};

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
  const likely = field.scalar === ScalarType.STRING ? meant[field.localName] : undefined;
  return likely !== undefined && random.chance(0.6) ? likely : scalar(random, field.scalar ?? ScalarType.STRING);
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
  if (desc.typeName === "google.protobuf.Any" && random.chance(0.7)) {
    if (random.chance(0.1)) return create(AnySchema, { typeUrl: specType, value: Buffer.from(random.pick(specs)) });
    const schema = random.pick(packed);
    return packAny(schema, randomMessage(random, schema, depth + 1) as never);
  }
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
