import type { ContainerConfig, HostConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { containerOf } from "../options/modes.ts";
import type { SysInfo } from "../host/sysinfo.ts";

const refuse = (message: string): never => {
  throw new InvalidArgument(message);
};

const has = (list: readonly unknown[] | object | null | undefined): boolean =>
  list !== null && list !== undefined && Object.keys(list).length > 0;

function checkContainerNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  const conflict = (what: string): never => refuse(`conflicting options: ${what}`);
  if (config.Hostname !== "") conflict("hostname and the network mode");
  if (has(hostConfig.Links)) {
    conflict("container type network can't be used with links. This would result in undefined behavior");
  }
  if (has(hostConfig.Dns)) conflict("dns and the network mode");
  if (has(hostConfig.ExtraHosts)) conflict("custom host-to-IP mapping and the network mode");
  if (has(hostConfig.PortBindings) || hostConfig.PublishAllPorts) {
    conflict("port publishing and the container type network mode");
  }
  if (has(config.ExposedPorts)) conflict("port exposing and the container type network mode");
}

function checkNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  const mode = hostConfig.NetworkMode;
  const container = containerOf(mode);
  if (container === "" || mode === "container") {
    refuse("invalid network mode: invalid container format container:<name|id>");
  }
  if (hostConfig.UTSMode === "host" && config.Hostname !== "") refuse("conflicting options: hostname and the UTS mode");
  if (container !== undefined) checkContainerNetwork(config, hostConfig);
  if (mode === "host" && has(hostConfig.Links)) {
    refuse(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  }
}

/**
 * The checks on a create request that need no engine: modes, their conflicts, options of a wrong
 * platform.
 * @throws InvalidArgument with the real engine's messages
 */
export function checkCreateRequest(config: ContainerConfig, hostConfig: HostConfig, sysInfo: SysInfo): void {
  checkNetwork(config, hostConfig);
  const { Isolation: isolation, IpcMode: ipc, PidMode: pid, UTSMode: uts } = hostConfig;
  if (!["", "default"].includes(isolation.toLowerCase())) {
    refuse(`invalid isolation (${String(isolation)}): linux only supports 'default'`);
  }
  if (hostConfig.IOMaximumBandwidth !== 0) {
    refuse("invalid option: QoS maximum bandwidth configuration is not supported on linux");
  }
  if (hostConfig.IOMaximumIOps !== 0)
    refuse("invalid option: QoS maximum IOPs configuration is not supported on linux");
  const { CpuRealtimePeriod: period, CpuRealtimeRuntime: runtime } = hostConfig;
  if ((period !== 0 || runtime !== 0) && !sysInfo.CPURealtime)
    refuse("kernel does not support CPU real-time scheduler");
  if (period !== 0 && runtime !== 0 && runtime > period) {
    refuse("cpu real-time runtime cannot be higher than cpu real-time period");
  }
  if (!["", "none", "private", "shareable", "host"].includes(ipc) && containerOf(ipc) === undefined) {
    refuse(`invalid IPC mode: ${ipc}`);
  }
  if (pid !== "" && pid !== "host" && !containerOf(pid)) refuse(`invalid PID mode: ${pid}`);
  if (uts !== "" && uts !== "host") refuse(`invalid UTS mode: ${uts}`);
}
