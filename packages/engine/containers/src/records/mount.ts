import type { Mount, MountType, Propagation } from "@longshore/docker-api";
import { flag, integer, listOf, mapOf, oneOf, optional, type Reader, record, required, text } from "@longshore/records";
import type { MountRecord } from "@longshore/docker-spec";

const type = oneOf<MountType>("bind", "volume", "image", "tmpfs", "npipe", "cluster");
const propagation = oneOf<Propagation | "">("", "private", "rprivate", "shared", "rshared", "slave", "rslave");
/** Docker's volumes of an image have nothing that was asked for. */
const askedType = oneOf<MountType | "">(
  "",
  "bind",
  "volume",
  "image",
  "tmpfs",
  "npipe",
  "cluster",
) as Reader<MountType>;
type Part<K extends keyof Mount> = NonNullable<Mount[K]>;
type DriverConfig = NonNullable<Part<"VolumeOptions">["DriverConfig"]>;

/** A mount as it was asked for. */
export const mount: Reader<Mount> = record<Mount>({
  Type: optional(askedType),
  Source: optional(text),
  Target: optional(text),
  ReadOnly: optional(flag),
  Consistency: optional(text),
  BindOptions: optional(
    record<Part<"BindOptions">>({
      Propagation: optional(propagation),
      NonRecursive: optional(flag),
      CreateMountpoint: optional(flag),
      ReadOnlyNonRecursive: optional(flag),
      ReadOnlyForceRecursive: optional(flag),
    }),
  ),
  VolumeOptions: optional(
    record<Part<"VolumeOptions">>({
      NoCopy: optional(flag),
      Labels: optional(mapOf(text)),
      Subpath: optional(text),
      DriverConfig: optional(record<DriverConfig>({ Name: optional(text), Options: optional(mapOf(text)) })),
    }),
  ),
  ImageOptions: optional(record<Part<"ImageOptions">>({ Subpath: optional(text) })),
  TmpfsOptions: optional(
    record<Part<"TmpfsOptions">>({
      SizeBytes: optional(integer()),
      Mode: optional(integer()),
      Options: optional(listOf(listOf(text))),
    }),
  ),
  ClusterOptions: optional(record<Record<string, never>>({})),
});

/** A member of `MountPoints` in config.v2.json. */
export const mountPoint: Reader<MountRecord> = record<MountRecord>({
  Type: type,
  Source: text,
  // A volume of `Config.Volumes` may lie at a relative path, which is one from the root.
  Destination: required(text, (path) => (path === "" ? "is empty" : undefined)),
  RW: flag,
  Name: text,
  Driver: text,
  Relabel: optional(text),
  Propagation: optional(propagation),
  Spec: mount,
  CopyData: optional(flag),
  SkipMountpointCreation: flag,
});
