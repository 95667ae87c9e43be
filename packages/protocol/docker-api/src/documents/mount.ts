import { bool, type Document, fileMode, int64, leftOut, list, map, named, struct, text } from "@longshore/go-json";

export type Propagation = "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";
export type MountType = "bind" | "volume" | "image" | "tmpfs" | "npipe" | "cluster";

/** A mount as it is asked for. */
export const mountShape = struct("mount.Mount", {
  Type: leftOut(named<MountType>("mount.Type")),
  Source: leftOut(text),
  Target: leftOut(text),
  ReadOnly: leftOut(bool),
  Consistency: leftOut(named("mount.Consistency")),
  BindOptions: leftOut(
    struct("mount.BindOptions", {
      Propagation: leftOut(named<Propagation | "">("mount.Propagation")),
      NonRecursive: leftOut(bool),
      CreateMountpoint: leftOut(bool),
      ReadOnlyNonRecursive: leftOut(bool),
      ReadOnlyForceRecursive: leftOut(bool),
    }),
  ),
  VolumeOptions: leftOut(
    struct("mount.VolumeOptions", {
      NoCopy: leftOut(bool),
      Labels: leftOut(map(text)),
      Subpath: leftOut(text),
      DriverConfig: leftOut(struct("mount.Driver", { Name: leftOut(text), Options: leftOut(map(text)) })),
    }),
  ),
  ImageOptions: leftOut(struct("mount.ImageOptions", { Subpath: leftOut(text) })),
  TmpfsOptions: leftOut(
    struct("mount.TmpfsOptions", {
      SizeBytes: leftOut(int64),
      Mode: leftOut(fileMode),
      Options: leftOut(list(list(text))),
    }),
  ),
  ClusterOptions: leftOut(struct("mount.ClusterOptions", {})),
});

export type Mount = Document<typeof mountShape>;
