import type { ContainerConfig, HostConfig } from "@longshore/docker-api";

/** Members that Docker leaves out while they say nothing. */
const optional = {
  config: ["ExposedPorts", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal", "StopTimeout", "Shell"],
  hostConfig: ["Annotations", "Mounts", "StorageOpt", "Sysctls", "Tmpfs"],
} as const;

function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function without<T extends object>(from: T, keys: readonly (keyof T)[]): T {
  const shown = { ...from };
  for (const key of keys) if (saysNothing(shown[key])) delete shown[key];
  return shown;
}

/** @param macAddress that the endpoint of the container's first network was asked to have */
export function shownConfig(config: ContainerConfig, macAddress: string): ContainerConfig {
  return without({ ...config, MacAddress: macAddress }, optional.config);
}

export function shownHostConfig(hostConfig: HostConfig): HostConfig {
  return without(hostConfig, optional.hostConfig);
}
