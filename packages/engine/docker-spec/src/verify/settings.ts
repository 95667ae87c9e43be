import type { ContainerConfig, HostConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import type { EngineSettings } from "../contract.ts";
import type { HostFacts } from "../host/host.ts";
import { checkTmpfsDestination } from "../mounts/validate.ts";
import { defaultMaskedPaths, defaultReadonlyPaths } from "../spec/paths.ts";
import { isRuntimeName } from "../options/runtime-name.ts";
import { checkContainerConfig } from "./config.ts";
import { checkHostConfig } from "./host-config.ts";
import { verifyResources } from "./resources.ts";

function verifyPlatform(hostConfig: HostConfig, host: HostFacts, settings: EngineSettings, update: boolean): string[] {
  const warnings = verifyResources(hostConfig, host, update);
  const { ShmSize, OomScoreAdj, NetworkMode, CgroupParent, CgroupnsMode } = hostConfig;
  if (ShmSize < 0) throw new InvalidArgument("SHM size can not be less than 0");
  if (OomScoreAdj < -1000 || OomScoreAdj > 1000) {
    throw new InvalidArgument(`Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (host.sysInfo.IPv4ForwardingDisabled && NetworkMode !== "host" && NetworkMode !== "none") {
    warnings.push("IPv4 forwarding is disabled. Networking will not work.");
  }
  if (NetworkMode === "host" && Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
    warnings.push("Published ports are discarded when using host network mode");
  }
  if (CgroupParent !== "" && host.cgroupDriver === "systemd" && !/..\.slice$/.test(CgroupParent)) {
    throw new InvalidArgument('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"');
  }
  hostConfig.Runtime ||= settings.defaultRuntime;
  if (!settings.runtimes.includes(hostConfig.Runtime) && !isRuntimeName(hostConfig.Runtime)) {
    throw new InvalidArgument(`unknown or invalid runtime name: ${hostConfig.Runtime}`);
  }
  for (const destination of Object.keys(hostConfig.Tmpfs ?? {})) checkTmpfsDestination(destination);
  if (!["", "host", "private"].includes(CgroupnsMode)) {
    throw new InvalidArgument(`invalid cgroup namespace mode: ${CgroupnsMode}`);
  }
  if (CgroupnsMode === "private" && !host.sysInfo.CgroupNamespaces) {
    warnings.push("Your kernel does not support cgroup namespaces.  Cgroup namespace setting discarded.");
  }
  if ((hostConfig.Mounts ?? []).some((mount) => mount.Type === "image")) {
    warnings.push("Image mount is an experimental feature");
  }
  return warnings;
}

/**
 * Verifies what a create (or update) asks for, and answers the warnings for the client. What the
 * machine cannot do is taken out of `hostConfig`.
 * @param config undefined for an update
 * @throws InvalidArgument with the real engine's messages
 */
export async function verifyContainerSettings(options: {
  config?: ContainerConfig;
  hostConfig: HostConfig;
  host: HostFacts;
  settings: EngineSettings;
  update?: boolean;
}): Promise<string[]> {
  const { config, hostConfig, host, settings, update = false } = options;
  if (config !== undefined) checkContainerConfig(config);
  await checkHostConfig(hostConfig, host);
  return verifyPlatform(hostConfig, host, settings, update);
}

function hasLabelOption({ SecurityOpt }: HostConfig): boolean {
  return (SecurityOpt ?? []).some((option) => option.split("=", 1)[0] === "label");
}

/** Where SELinux would only be in the way. */
function sharesWithHost({ Privileged, PidMode, IpcMode }: HostConfig): boolean {
  return Privileged || PidMode === "host" || IpcMode === "host";
}

/** Fills in what a verified container leaves open, from the engine's settings. */
export function adaptContainerSettings(hostConfig: HostConfig, host: HostFacts, settings: EngineSettings): void {
  const unified = host.sysInfo.CgroupVersion === 2;
  if (hostConfig.RestartPolicy.Name === "") hostConfig.RestartPolicy.Name = "no";
  if (hostConfig.NetworkMode === "" || hostConfig.NetworkMode === "default") hostConfig.NetworkMode = "bridge";
  if (hostConfig.Memory > 0 && hostConfig.MemorySwap === 0) hostConfig.MemorySwap = hostConfig.Memory * 2;
  if (hostConfig.ShmSize === 0) hostConfig.ShmSize = settings.defaultShmSize;
  hostConfig.IpcMode ||= settings.defaultIpcMode;
  hostConfig.CgroupnsMode ||=
    hostConfig.Privileged && !unified ? "host" : settings.defaultCgroupnsMode || (unified ? "private" : "host");
  if (host.sysInfo.OomKillDisable) hostConfig.OomKillDisable ??= false;
  if (!hasLabelOption(hostConfig) && sharesWithHost(hostConfig))
    hostConfig.SecurityOpt = [...(hostConfig.SecurityOpt ?? []), "label=disable"];
  if (hostConfig.PidsLimit !== null && hostConfig.PidsLimit <= 0) hostConfig.PidsLimit = null;
  if (!hostConfig.Privileged) {
    hostConfig.MaskedPaths ??= defaultMaskedPaths(host);
    hostConfig.ReadonlyPaths ??= [...defaultReadonlyPaths];
  }
}
