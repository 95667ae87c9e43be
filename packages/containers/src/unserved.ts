import type { HostConfig } from "@longshore/api";
import { NotImplemented, Unknown } from "@longshore/errdefs";

/**
 * Refuses what no container here can have. To leave it out in silence would start something else
 * than what was asked for: a container without its GPU or its mount.
 * @throws NotImplemented, or Unknown with Docker's message where Docker lacks a driver too
 */
export function refuseUnserved(hostConfig: HostConfig): void {
  for (const { Type, Source = "", Target = "" } of hostConfig.Mounts ?? []) {
    if (Type === "image") throw new NotImplemented(`mounts of type "image" are not supported: ${Source} at ${Target}`);
  }
  for (const { Driver, Capabilities } of hostConfig.DeviceRequests ?? []) {
    const wanted = (Capabilities ?? []).map((all) => `[${all.join(" ")}]`).join(" ");
    throw new Unknown(`could not select device driver ${JSON.stringify(Driver ?? "")} with capabilities: [${wanted}]`);
  }
  for (const [option, value] of Object.entries(hostConfig.StorageOpt ?? {})) {
    throw new NotImplemented(`storage options of containers are not supported: ${option}=${value}`);
  }
}
