import type { HostConfig } from "@longshore/docker-api";
import { Unknown } from "@longshore/errdefs";

/**
 * Refuses storage options, as Docker does on file systems without project quotas.
 * @throws Unknown with Docker's message
 */
export function refuseStorageOptions(hostConfig: HostConfig): void {
  for (const option of Object.keys(hostConfig.StorageOpt ?? {})) {
    if (option.toLowerCase() !== "size") throw new Unknown(`Unknown option ${option}`);
    throw new Unknown("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
}

/**
 * Refuses devices that only a driver could give: there is none. To leave them out in silence would
 * start a container without its GPU.
 * @throws Unknown with the message of a Docker engine that lacks the driver too
 */
export function refuseDeviceRequests(hostConfig: HostConfig): void {
  for (const { Driver, Capabilities, DeviceIDs } of hostConfig.DeviceRequests ?? []) {
    if (Driver === "cdi" && (DeviceIDs ?? []).length === 0) continue;
    if (Driver === "cdi")
      throw new Unknown(`CDI device injection failed: unresolvable CDI devices ${(DeviceIDs ?? []).join(", ")}`);
    const wanted = (Capabilities ?? []).map((all) => `[${(all ?? []).join(" ")}]`).join(" ");
    throw new Unknown(`could not select device driver ${JSON.stringify(Driver ?? "")} with capabilities: [${wanted}]`);
  }
}
