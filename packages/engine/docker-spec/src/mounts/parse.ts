import { posix } from "node:path";
import type { Mount } from "@longshore/docker-api";
import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import type { MountRecord } from "../contract.ts";
import { defaultPropagation, isValidMode, parseMode } from "./modes.ts";
import { checkMount, type PathExists } from "./validate.ts";

const invalidSpec = (raw: string): Unknown => new Unknown(`invalid volume specification: '${raw}'`);

/** The record of a mount that is already checked; volumes have no driver until they are made. */
function recordOf(mount: Mount): MountRecord {
  const record: MountRecord = {
    Type: mount.Type ?? "volume",
    Source: "",
    Destination: posix.normalize(mount.Target ?? "").replace(/(?<=.)\/$/, ""),
    RW: mount.ReadOnly !== true,
    Name: "",
    Driver: "",
    Spec: mount,
    SkipMountpointCreation: false,
  };
  switch (mount.Type) {
    case "volume":
      record.Name = mount.Source ?? "";
      record.Driver = mount.VolumeOptions?.DriverConfig?.Name ?? "";
      record.CopyData = mount.VolumeOptions?.NoCopy !== true;
      break;
    case "bind":
      record.Source = posix.normalize(mount.Source ?? "").replace(/(?<=.)\/$/, "");
      record.Propagation = mount.BindOptions?.Propagation || defaultPropagation;
      break;
    case "image":
      record.Name = mount.Source ?? "";
      record.RW = false;
      record.Propagation = defaultPropagation;
      break;
    default:
  }
  return record;
}

/** Local volumes are labelled for sharing unless a mode says otherwise; inspect shows it. */
function withDefaultMode(record: MountRecord): MountRecord {
  const local = record.Type === "volume" && (record.Driver === "" || record.Driver === "local");
  if (local) record.Relabel ??= "z";
  return record;
}

/**
 * Parses one `--volume`: `[source:]destination[:mode]`; a source that is no absolute path is a volume's name.
 * @param volumeDriver `--volume-driver`, for volumes
 * @throws Unknown `invalid volume specification: '…'`, `invalid mode: …`
 */
export async function parseBind(raw: string, volumeDriver: string): Promise<MountRecord> {
  const parts = raw.split(":");
  const [first = "", second, mode = ""] = parts;
  if (parts.length > 3 || first === "" || (parts.length === 2 && isValidMode(second ?? ""))) throw invalidSpec(raw);
  if (!isValidMode(mode)) throw new Unknown(`invalid mode: ${mode}`);
  const { readOnly, noCopy, propagation } = parseMode(mode);
  const source = second === undefined ? "" : first;
  const mount: Mount = posix.isAbsolute(source)
    ? { Type: "bind", Source: posix.normalize(source), Target: second ?? first }
    : { Type: "volume", ...(source === "" ? {} : { Source: source }), Target: second ?? first };
  if (readOnly) mount.ReadOnly = true;
  if (volumeDriver !== "" && mount.Type === "volume") mount.VolumeOptions = { DriverConfig: { Name: volumeDriver } };
  if (noCopy) mount.VolumeOptions = { ...mount.VolumeOptions, NoCopy: true };
  if (propagation !== undefined) mount.BindOptions = { Propagation: propagation };
  try {
    await checkMount(mount);
  } catch (error) {
    throw new Unknown(`${invalidSpec(raw).message}: ${messageOf(error)}`, { cause: error });
  }
  const record = recordOf(mount);
  if (mode !== "") record.Relabel = mode;
  return withDefaultMode(record);
}

/** The record of one `--mount`. @throws InvalidArgument */
export async function parseMount(mount: Mount, exists: PathExists): Promise<MountRecord> {
  await checkMount(mount, exists);
  const record = recordOf(mount);
  record.SkipMountpointCreation = mount.Type === "bind" && mount.BindOptions?.CreateMountpoint !== true;
  return withDefaultMode(record);
}

/**
 * Parses `--volumes-from`: `container[:mode]`.
 * @throws InvalidArgument for an empty one or a bad mode
 */
export function parseVolumesFrom(raw: string): { container: string; mode: string } {
  if (raw === "") throw new InvalidArgument("volumes-from specification cannot be an empty string");
  const colon = raw.indexOf(":");
  if (colon < 0) return { container: raw, mode: "rw" };
  const mode = raw.slice(colon + 1);
  const { propagation, noCopy } = parseMode(mode);
  if (!isValidMode(mode) || propagation !== undefined || noCopy) throw new InvalidArgument(`invalid mode: ${mode}`);
  return { container: raw.slice(0, colon), mode };
}
