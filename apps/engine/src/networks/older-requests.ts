import type { ContainerConfig, EndpointSettings, HostConfig } from "@longshore/api";
import { InvalidArgument, Unknown } from "@longshore/errdefs";

const sysctlsOption = "com.docker.network.endpoint.sysctls";

/** The part of a create request that is about the container's networks. */
export interface NetworkRequest {
  config: Partial<ContainerConfig>;
  hostConfig: Partial<HostConfig>;
  endpoints: Record<string, Partial<EndpointSettings> | null>;
}

/** The endpoint of the network that the container's mode names. */
function mainEndpoint({ hostConfig, endpoints }: NetworkRequest): Partial<EndpointSettings> {
  const mode = hostConfig.NetworkMode || "default";
  const names = mode === "default" || mode === "bridge" ? ["default", "bridge"] : [mode];
  const name = names.find((each) => endpoints[each]) ?? mode;
  const endpoint = endpoints[name] ?? {};
  endpoints[name] = endpoint;
  return endpoint;
}

function isShared(mode: string): boolean {
  return mode === "host" || mode.startsWith("container:");
}

/**
 * Requests before API 1.44 gave a container one MAC address, later ones give one to each endpoint. Changes
 * the request to what is asked today.
 * @returns warnings
 * @throws InvalidArgument with Docker's messages
 */
export function migrateMacAddress(request: NetworkRequest, before144: boolean): string[] {
  const { config, hostConfig, endpoints } = request;
  const address = config.MacAddress ?? "";
  const mode = hostConfig.NetworkMode ?? "";
  // What older engines did not read.
  if (before144 && address === "") for (const endpoint of Object.values(endpoints)) delete endpoint?.MacAddress;
  if (address === "") return [];
  const connected = !isShared(mode) && mode !== "none";
  if (before144 && !connected) throw new InvalidArgument("conflicting options: mac-address and the network mode");
  if (connected) {
    const endpoint = mainEndpoint(request);
    const own = endpoint.MacAddress ?? "";
    if (!before144 && own !== "" && own !== address) {
      throw new InvalidArgument("the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty");
    }
    endpoint.MacAddress = address;
  }
  if (before144) return [];
  config.MacAddress = "";
  return ["The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead."];
}

/**
 * Sysctls of interfaces belong to endpoints. Requests before API 1.48 could set those of the first
 * interface among the container's, which are moved.
 * @returns warnings
 * @throws Unknown with Docker's messages
 */
export function migrateSysctls(request: NetworkRequest, before148: boolean): string[] {
  const { hostConfig } = request;
  if (isShared(hostConfig.NetworkMode ?? "")) return [];
  const moved: { key: string; sysctl: string }[] = [];
  for (const [key, value] of Object.entries(hostConfig.Sysctls ?? {})) {
    const [, family, group, device, name] = /^net\.([^.]*)\.([^.]*)\.(eth[^.]*)\.(.*)$/s.exec(key) ?? [];
    if (device === undefined) continue;
    if (!before148) throw new Unknown(`interface specific sysctl setting ${JSON.stringify(key)} must be supplied using driver option '${sysctlsOption}'`);
    if (device !== "eth0") throw new Unknown(`unable to determine network endpoint for sysctl ${key}, use driver option '${sysctlsOption}' to set per-interface sysctls`);
    moved.push({ key, sysctl: `net.${family}.${group}.IFNAME.${name}=${value}` });
  }
  if (moved.length === 0) return [];
  const endpoint = mainEndpoint(request);
  const sysctls = moved.map(({ sysctl }) => sysctl).join();
  const own = endpoint.DriverOpts?.[sysctlsOption] ?? "";
  endpoint.DriverOpts = { ...endpoint.DriverOpts, [sysctlsOption]: own === "" ? sysctls : `${sysctls},${own}` };
  const keys = moved.map(({ key }) => key);
  const left = Object.entries(hostConfig.Sysctls ?? {}).filter(([key]) => !keys.includes(key));
  if (left.length === 0) delete hostConfig.Sysctls;
  else hostConfig.Sysctls = Object.fromEntries(left);
  return [`Migrated sysctl ${JSON.stringify(keys.join())} to DriverOpts{${JSON.stringify(sysctlsOption)}:${JSON.stringify(sysctls)}}.`];
}
