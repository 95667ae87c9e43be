import type { ContainerConfig, EndpointSettings, HostConfigRequest } from "@longshore/docker-api";
import { InvalidArgument, messageOf, Unknown } from "@longshore/errdefs";
import type { Speaks } from "./speaks.ts";

const sysctlsOption = "com.docker.network.endpoint.sysctls";

/** The part of a create request that is about the container's networks. */
export interface NetworkRequest {
  config: Partial<ContainerConfig>;
  /** `NetworkMode` names a network: `default` is said by its name already. */
  hostConfig: HostConfigRequest;
  endpoints: Record<string, Partial<EndpointSettings> | null>;
}

/**
 * The endpoint that settings of the whole container are meant for. Where only one was taken it is that one, whatever
 * the mode says; else the mode's.
 * @throws InvalidArgument when there are endpoints, but none under the mode's name: it might be theirs under another
 */
function mainEndpoint({ hostConfig, endpoints }: NetworkRequest, speaks: Speaks): Partial<EndpointSettings> {
  const mode = hostConfig.NetworkMode ?? "";
  const [first] = Object.keys(endpoints);
  if (first !== undefined && speaks("createEndpoints") && !Object.hasOwn(endpoints, mode)) {
    throw new InvalidArgument(
      "HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks",
    );
  }
  const name = first === undefined || speaks("createEndpoints") ? mode : first;
  return (endpoints[name] ??= {});
}

function isShared(mode: string): boolean {
  return mode === "host" || mode.startsWith("container:");
}

/**
 * Once a container had one MAC address, now each endpoint has one. Changes the request to what is asked today.
 * @returns warnings
 * @throws InvalidArgument with Docker's messages
 */
export function migrateMacAddress(request: NetworkRequest, speaks: Speaks): string[] {
  const { config, hostConfig, endpoints } = request;
  const address = config.MacAddress ?? "";
  const mode = hostConfig.NetworkMode ?? "";
  const older = !speaks("createEndpointMacAddress");
  // What older engines did not read.
  if (older && address === "") for (const endpoint of Object.values(endpoints)) delete endpoint?.MacAddress;
  if (address === "") return [];
  const connected = !isShared(mode) && mode !== "none";
  if (older && !connected) throw new InvalidArgument("conflicting options: mac-address and the network mode");
  if (older) {
    mainEndpoint(request, speaks).MacAddress = address;
    return [];
  }
  if (connected) moveMacAddress(request, speaks, address);
  config.MacAddress = "";
  return ["The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead."];
}

function moveMacAddress(request: NetworkRequest, speaks: Speaks, address: string): void {
  let endpoint: Partial<EndpointSettings>;
  try {
    endpoint = mainEndpoint(request, speaks);
  } catch (error) {
    throw new InvalidArgument(
      `unable to migrate container-wide MAC address to a specific network: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const own = endpoint.MacAddress ?? "";
  if (own !== "" && own !== address) {
    throw new InvalidArgument(
      "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
    );
  }
  endpoint.MacAddress = address;
}

/**
 * Sysctls of interfaces belong to endpoints; once those of the first interface could stand among the container's,
 * from where they are moved.
 * @returns warnings
 * @throws Unknown, InvalidArgument with Docker's messages
 */
export function migrateSysctls(request: NetworkRequest, speaks: Speaks): string[] {
  const { hostConfig } = request;
  if (isShared(hostConfig.NetworkMode ?? "")) return [];
  const moved: { key: string; sysctl: string }[] = [];
  let endpoint: Partial<EndpointSettings> | undefined;
  for (const [key, value] of Object.entries(hostConfig.Sysctls ?? {})) {
    const [, family, group, device, name] = /^net\.([^.]*)\.([^.]*)\.(eth[^.]*)\.(.*)$/s.exec(key) ?? [];
    if (device === undefined) continue;
    if (speaks("createEndpointSysctls"))
      throw new Unknown(
        `interface specific sysctl setting ${JSON.stringify(key)} must be supplied using driver option '${sysctlsOption}'`,
      );
    endpoint ??= sysctlEndpoint(request, speaks, key);
    if (device !== "eth0")
      throw new Unknown(
        `unable to determine network endpoint for sysctl ${key}, use driver option '${sysctlsOption}' to set per-interface sysctls`,
      );
    moved.push({ key, sysctl: `net.${family}.${group}.IFNAME.${name}=${value}` });
  }
  if (endpoint === undefined) return [];
  const sysctls = moved.map(({ sysctl }) => sysctl).join();
  const own = endpoint.DriverOpts?.[sysctlsOption] ?? "";
  endpoint.DriverOpts = { ...endpoint.DriverOpts, [sysctlsOption]: own === "" ? sysctls : `${sysctls},${own}` };
  const keys = moved.map(({ key }) => key);
  const left = Object.entries(hostConfig.Sysctls ?? {}).filter(([key]) => !keys.includes(key));
  if (left.length === 0) delete hostConfig.Sysctls;
  else hostConfig.Sysctls = Object.fromEntries(left);
  return [
    `Migrated sysctl ${JSON.stringify(keys.join())} to DriverOpts{${JSON.stringify(sysctlsOption)}:${JSON.stringify(sysctls)}}.`,
  ];
}

function sysctlEndpoint(request: NetworkRequest, speaks: Speaks, key: string): Partial<EndpointSettings> {
  try {
    return mainEndpoint(request, speaks);
  } catch (error) {
    throw new InvalidArgument(`unable to find a network for sysctl ${key}: ${messageOf(error)}`, { cause: error });
  }
}
