import { posix } from "node:path";
import type { ContainerConfig, HostConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import type { MountRecord } from "../contract.ts";
import { parseMode } from "./modes.ts";
import { parseBind, parseMount, parseVolumesFrom } from "./parse.ts";
import { hostPathExists, type PathExists } from "./validate.ts";

export interface MountPointsInput {
  /** With the image's volumes already merged in. */
  config: Pick<ContainerConfig, "Volumes">;
  hostConfig: Pick<HostConfig, "Binds" | "Mounts" | "Tmpfs" | "VolumesFrom" | "VolumeDriver">;
  /** The engine's data root. */
  dataRoot: string;
  /**
   * The mount points of a container that `--volumes-from` names, volumes with their Source.
   * @throws NotFound
   */
  mountPointsOf: (container: string) => Promise<MountRecord[]>;
  pathExists?: PathExists;
  /** Read-only binds leave what is mounted below them as it is, as they all did once. */
  readOnlyNonRecursive?: boolean;
}

function keepSubmounts(record: MountRecord): void {
  if (record.Type !== "bind" || record.RW) return;
  record.Spec = {
    ...record.Spec,
    BindOptions: Object.assign(record.Spec.BindOptions ?? {}, { ReadOnlyNonRecursive: true }),
  };
}

function underEachOther(source: string, dataRoot: string): boolean {
  return source.startsWith(dataRoot) || dataRoot.startsWith(source);
}

/** A bind around or inside the data root must not keep the engine's mounts busy in another namespace. */
function followDataRoot(record: MountRecord, dataRoot: string): void {
  if (record.Type !== "bind" || !underEachOther(record.Source, dataRoot)) return;
  const asked = record.Spec.BindOptions?.Propagation ?? "";
  if (asked === "") {
    record.Propagation = "rslave";
  } else if (asked !== "rslave" && asked !== "rshared") {
    throw new InvalidArgument(
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: ${JSON.stringify(dataRoot)}, bind mount source: ${JSON.stringify(record.Source)}, propagation: ${JSON.stringify(asked)}`,
    );
  }
}

/** A volume of the image or of `Config.Volumes`: anonymous, filled from the image. */
function anonymousVolume(destination: string, driver: string): MountRecord {
  return {
    Type: "volume",
    Source: "",
    Destination: destination,
    RW: true,
    Name: "",
    Driver: driver,
    Spec: {},
    CopyData: true,
    SkipMountpointCreation: false,
  };
}

async function inherited(input: MountPointsInput, raw: string): Promise<MountRecord[]> {
  const { container, mode } = parseVolumesFrom(raw);
  const { readOnly } = parseMode(mode);
  const records = await input.mountPointsOf(container);
  // The other one's mode was for its own use; it is not shown here.
  return records.map((record) => ({ ...record, Relabel: "", RW: record.RW && !readOnly, CopyData: false }));
}

/**
 * All mount points of a new container, by destination, with the real engine's precedence: later
 * ones replace earlier ones, volumes-from before binds before mounts; volumes of the configuration
 * only where nothing else is mounted. Records of volumes without Name are yet to be created.
 * @throws InvalidArgument, Unknown with the real engine's messages; NotFound from `mountPointsOf`
 */
export async function parseMountPoints(input: MountPointsInput): Promise<MountRecord[]> {
  const { hostConfig, dataRoot } = input;
  const tmpfs = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map((path) => posix.normalize(path)));
  const points = new Map<string, MountRecord>();
  const own = new Set<string>();
  for (const raw of hostConfig.VolumesFrom ?? []) {
    for (const record of await inherited(input, raw)) points.set(record.Destination, record);
  }
  for (const raw of hostConfig.Binds ?? []) {
    const record = await parseBind(raw, hostConfig.VolumeDriver ?? "");
    followDataRoot(record, dataRoot);
    if (own.has(record.Destination) || tmpfs.has(record.Destination)) {
      throw new InvalidArgument(`Duplicate mount point: ${record.Destination}`);
    }
    if (input.readOnlyNonRecursive === true) keepSubmounts(record);
    own.add(record.Destination);
    points.set(record.Destination, record);
  }
  for (const mount of hostConfig.Mounts ?? []) {
    const record = await parseMount(mount, input.pathExists ?? hostPathExists);
    followDataRoot(record, dataRoot);
    if (own.has(record.Destination)) throw new InvalidArgument(`Duplicate mount point: ${mount.Target ?? ""}`);
    if (input.readOnlyNonRecursive === true) keepSubmounts(record);
    own.add(record.Destination);
    points.set(record.Destination, record);
  }
  for (const path of Object.keys(input.config.Volumes ?? {})) {
    const destination = posix.normalize(path).replace(/(?<=.)\/$/, "");
    if (points.has(destination) || tmpfs.has(destination)) continue;
    points.set(destination, anonymousVolume(destination, hostConfig.VolumeDriver ?? ""));
  }
  return [...points.values()];
}
