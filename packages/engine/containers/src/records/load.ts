import { basename, dirname, join } from "node:path";
import type { Pace } from "@longshore/concurrency";
import { DataLoss, InvalidArgument, messageOf } from "@longshore/errdefs";
import { type Reader, readRecordFile } from "@longshore/records";
import { isFedDriver } from "../logging/log-options.ts";
import type { ContainerRecord, HostConfig } from "../model/record.ts";
import { containerRecord } from "./container.ts";
import { hostConfigRecord } from "./host-config.ts";

/** A file of a container, wherever the data root lay when its path was written; empty for a path that is none. */
function relocated(path: string, root: string): string {
  const [, id, file] = /\/containers\/([0-9a-f]{64})\/(hostname|hosts|resolv\.conf)$/.exec(path) ?? [];
  return id === undefined || file === undefined ? "" : join(root, id, file);
}

/** The log that the shim keeps for a driver, within the container's folder; empty for none. */
export function logPathOf(dir: string, driver: string): string {
  if (driver === "none") return "";
  if (isFedDriver(driver)) return join(dir, "container-cached.log");
  return driver === "local" ? join(dir, "local-logs", "container.log") : join(dir, `${basename(dir)}-json.log`);
}

/**
 * Whether what is about to be written can be read again: else the engine would set the container aside at its next start.
 * @throws InvalidArgument that says which member cannot be
 */
export async function checkReadable(record: ContainerRecord, hostConfig: HostConfig, pace: Pace): Promise<void> {
  try {
    // Maps of ports are what decoding and completing have made of them, and may be as large as there are ports.
    const { ExposedPorts: _exposed, ...config } = record.Config;
    containerRecord({ ...record, Config: config }, "");
    await pace.pause();
    hostConfigRecord({ ...hostConfig, PortBindings: null }, "");
  } catch (error) {
    throw new InvalidArgument(`invalid configuration: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * A container's record of its folder `<root>/<id>`, written by this engine or by Docker: all members are there and have their
 * types, paths lie below `root`.
 * @throws DataLoss that says what is wrong with which of the files
 */
export async function loadRecords(
  dir: string,
  files: { config: string; hostConfig: string },
): Promise<{ record: ContainerRecord; hostConfig: HostConfig }> {
  const read = async <T>(name: string, reader: Reader<T>): Promise<T> => {
    try {
      return await readRecordFile(join(dir, name), reader);
    } catch (error) {
      throw new DataLoss(`${name}: ${messageOf(error)}`, { cause: error });
    }
  };
  const record = await read(files.config, containerRecord);
  const hostConfig = await read(files.hostConfig, hostConfigRecord);
  if (record.ID !== basename(dir)) throw new DataLoss(`the record is of container ${record.ID}`);
  const root = dirname(dir);
  record.LogPath = logPathOf(dir, hostConfig.LogConfig.Type);
  for (const member of ["HostnamePath", "HostsPath", "ResolvConfPath"] as const)
    record[member] = relocated(record[member], root);
  return { record, hostConfig };
}
