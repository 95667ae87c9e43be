import type { Volume } from "@longshore/docker-api";
import type { DriverRecord } from "./driver-records.ts";
import type { DriverVolume } from "./driver.ts";
import { sorted } from "../record.ts";

/** What is shown of a volume whose driver is away. */
export const unseen: Omit<DriverVolume, "name"> = {
  mountpoint: "",
  createdAt: "0001-01-01T00:00:00Z",
  status: undefined,
};

/** As the API shows a volume that a driver keeps. @param detailed with the driver's own words about its state */
export function showDriverVolume(
  volume: DriverVolume,
  record: Pick<DriverRecord, "labels" | "options" | "scope">,
  driver: string,
  detailed: boolean,
): Volume {
  const { labels, options, scope } = record;
  const status = detailed && volume.status !== undefined ? { Status: volume.status } : {};
  return {
    CreatedAt: volume.createdAt,
    Driver: driver,
    Labels: sorted(labels),
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: sorted(options),
    Scope: scope,
    ...status,
  };
}
