import type { ContainerInspectResponse, MountPoint, NetworkSettings } from "@longshore/docker-api";
import { cleanPath, type MountRecord } from "@longshore/docker-spec";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { showLinks } from "../networking/links.ts";
import { shownConfig, shownHostConfig } from "./shown-config.ts";
import { sizesOf } from "./sizes.ts";

/** @param hidesName of a volume that `-v` asked for by its place alone: Docker does not show what it is called */
function mountPoint(record: MountRecord, hidesName: boolean): MountPoint {
  return {
    Type: record.Type,
    ...(record.Name === "" || hidesName ? {} : { Name: record.Name }),
    Source: record.Source,
    Destination: record.Destination,
    ...(record.Driver === "" ? {} : { Driver: record.Driver }),
    Mode: record.Relabel ?? "",
    RW: record.RW,
    Propagation: record.Propagation ?? "",
  };
}

export function mountPointsOf(container: Container): MountPoint[] {
  const bare = new Set((container.hostConfig.Binds ?? []).filter((bind) => !bind.includes(":")).map(cleanPath));
  return Object.values(container.record.MountPoints).map((record) => mountPoint(record, bare.has(record.Destination)));
}

function networkSettings(container: Container): NetworkSettings {
  const { NetworkSettings: own } = container.record;
  const main = own.Networks["bridge"];
  return {
    Bridge: own.Bridge,
    SandboxID: own.SandboxID,
    SandboxKey: own.SandboxKey,
    Ports: own.Ports ?? {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main?.EndpointID ?? "",
    Gateway: main?.Gateway ?? "",
    GlobalIPv6Address: main?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: main?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: main?.IPAddress ?? "",
    IPPrefixLen: main?.IPPrefixLen ?? 0,
    IPv6Gateway: main?.IPv6Gateway ?? "",
    MacAddress: main?.MacAddress ?? "",
    Networks: own.Networks,
  };
}

/** The answer of `GET /containers/{id}/json`. */
export async function inspectContainer(
  context: Context,
  container: Container,
  withSize: boolean,
): Promise<ContainerInspectResponse> {
  const { record, hostConfig } = container;
  const { State } = record;
  const execs = [...container.execs.values()].filter((exec) => exec.endedAt === undefined).map((exec) => exec.id);
  return {
    Id: record.ID,
    Created: record.Created,
    Path: record.Path,
    Args: record.Args,
    State: {
      Status: container.status,
      Running: State.Running,
      Paused: State.Paused,
      Restarting: State.Restarting,
      OOMKilled: State.OOMKilled,
      Dead: State.Dead,
      Pid: State.Pid,
      ExitCode: State.ExitCode,
      Error: State.Error,
      StartedAt: State.StartedAt,
      FinishedAt: State.FinishedAt,
      ...(State.Health === null ? {} : { Health: State.Health }),
    },
    Image: record.Image,
    ResolvConfPath: record.ResolvConfPath,
    HostnamePath: record.HostnamePath,
    HostsPath: record.HostsPath,
    LogPath: hostConfig.LogConfig.Type === "json-file" ? record.LogPath : "",
    Name: record.Name,
    RestartCount: record.RestartCount,
    Driver: record.Driver,
    Platform: record.OS,
    ...(record.ImageManifest === null ? {} : { ImageManifestDescriptor: record.ImageManifest }),
    MountLabel: record.MountLabel,
    ProcessLabel: record.ProcessLabel,
    AppArmorProfile: record.AppArmorProfile,
    ExecIDs: execs.length === 0 ? null : execs,
    HostConfig: shownHostConfig({ ...hostConfig, Links: showLinks(context, container) }),
    GraphDriver: { Data: null as never, Name: record.Driver },
    ...(withSize ? await sizesOf(context, container) : {}),
    Mounts: mountPointsOf(container),
    Config: shownConfig(record.Config, record.EndpointRequests[hostConfig.NetworkMode]?.MacAddress ?? ""),
    NetworkSettings: networkSettings(container),
  };
}
