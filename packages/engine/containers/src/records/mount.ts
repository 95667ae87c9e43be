import { type Mount, mountShape, type MountType, type Propagation } from "@longshore/docker-api";
import { flag, oneOf, optional, type Reader, record, recordOf, required, text } from "@longshore/records";
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
const { BindOptions } = mountShape.fields;

/** A mount as it was asked for. */
export const mount: Reader<Mount> = recordOf(mountShape, {
  Type: optional(askedType),
  BindOptions: optional(recordOf(BindOptions, { Propagation: optional(propagation) })),
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
