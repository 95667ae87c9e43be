import type {
  ContainerConfig,
  DeviceRequest,
  HostConfig,
  HostConfigRequest,
  PortBinding,
  PortMap,
  Resources,
} from "@longshore/docker-api";

/** Each member as a client may give it: absent or null where there is nothing to say. */
export type Given<T> = { [K in keyof T]?: T[K] | null | undefined };

type GivenHostConfig = Given<HostConfigRequest>;

/** Drops members without a value, which Docker leaves out when it writes them. */
function present<T extends object>(members: { [K in keyof T]: T[K] | null | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>;
}

/** A full container configuration of what a client gave, members in Docker's order. */
export function completeContainerConfig(given: Given<ContainerConfig>): ContainerConfig {
  return {
    Hostname: given.Hostname ?? "",
    Domainname: given.Domainname ?? "",
    User: given.User ?? "",
    AttachStdin: given.AttachStdin ?? false,
    AttachStdout: given.AttachStdout ?? false,
    AttachStderr: given.AttachStderr ?? false,
    ...present({ ExposedPorts: given.ExposedPorts }),
    Tty: given.Tty ?? false,
    OpenStdin: given.OpenStdin ?? false,
    StdinOnce: given.StdinOnce ?? false,
    Env: given.Env ?? null,
    Cmd: given.Cmd ?? null,
    ...present({ Healthcheck: given.Healthcheck, ArgsEscaped: given.ArgsEscaped || undefined }),
    Image: given.Image ?? "",
    Volumes: given.Volumes ?? null,
    WorkingDir: given.WorkingDir ?? "",
    Entrypoint: given.Entrypoint ?? null,
    ...present({ NetworkDisabled: given.NetworkDisabled || undefined, MacAddress: given.MacAddress || undefined }),
    OnBuild: given.OnBuild ?? null,
    Labels: given.Labels ?? null,
    ...present({ StopSignal: given.StopSignal || undefined, StopTimeout: given.StopTimeout, Shell: given.Shell }),
  };
}

/** In its place: a map of all ports is large. */
function completePortMap(map: PortMap): PortMap {
  for (const port of Object.keys(map)) {
    const list: (Partial<PortBinding> | undefined)[] | null = map[port] ?? null;
    map[port] = list?.map((binding) => ({ HostIp: binding?.HostIp ?? "", HostPort: binding?.HostPort ?? "" })) ?? null;
  }
  return map;
}

function completeDeviceRequest(given: Given<DeviceRequest>): DeviceRequest {
  return {
    Driver: given.Driver ?? "",
    Count: given.Count ?? 0,
    DeviceIDs: given.DeviceIDs ?? null,
    Capabilities: given.Capabilities ?? null,
    Options: given.Options ?? null,
  };
}

/** Full resource limits of what a client gave; nothing is limited that it did not name. */
export function completeResources(given: Given<Resources>): Resources {
  return {
    CpuShares: given.CpuShares ?? 0,
    Memory: given.Memory ?? 0,
    NanoCpus: given.NanoCpus ?? 0,
    CgroupParent: given.CgroupParent ?? "",
    BlkioWeight: given.BlkioWeight ?? 0,
    BlkioWeightDevice: given.BlkioWeightDevice ?? null,
    BlkioDeviceReadBps: given.BlkioDeviceReadBps ?? null,
    BlkioDeviceWriteBps: given.BlkioDeviceWriteBps ?? null,
    BlkioDeviceReadIOps: given.BlkioDeviceReadIOps ?? null,
    BlkioDeviceWriteIOps: given.BlkioDeviceWriteIOps ?? null,
    CpuPeriod: given.CpuPeriod ?? 0,
    CpuQuota: given.CpuQuota ?? 0,
    CpuRealtimePeriod: given.CpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: given.CpuRealtimeRuntime ?? 0,
    CpusetCpus: given.CpusetCpus ?? "",
    CpusetMems: given.CpusetMems ?? "",
    Devices: given.Devices ?? null,
    DeviceCgroupRules: given.DeviceCgroupRules ?? null,
    DeviceRequests: given.DeviceRequests?.map(completeDeviceRequest) ?? null,
    ...present({ KernelMemory: given.KernelMemory || undefined, KernelMemoryTCP: given.KernelMemoryTCP || undefined }),
    MemoryReservation: given.MemoryReservation ?? 0,
    MemorySwap: given.MemorySwap ?? 0,
    MemorySwappiness: given.MemorySwappiness ?? null,
    OomKillDisable: given.OomKillDisable ?? null,
    PidsLimit: given.PidsLimit ?? null,
    Ulimits: given.Ulimits ?? null,
    CpuCount: given.CpuCount ?? 0,
    CpuPercent: given.CpuPercent ?? 0,
    IOMaximumIOps: given.IOMaximumIOps ?? 0,
    IOMaximumBandwidth: given.IOMaximumBandwidth ?? 0,
  };
}

/** A full host configuration of what a client gave, members in Docker's order. */
export function completeHostConfig(given: GivenHostConfig): HostConfig {
  return {
    Binds: given.Binds ?? null,
    ContainerIDFile: given.ContainerIDFile ?? "",
    LogConfig: { Type: given.LogConfig?.Type ?? "", Config: given.LogConfig?.Config ?? null },
    NetworkMode: given.NetworkMode ?? "",
    PortBindings: given.PortBindings ? completePortMap(given.PortBindings) : null,
    RestartPolicy: {
      Name: given.RestartPolicy?.Name ?? "",
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    AutoRemove: given.AutoRemove ?? false,
    VolumeDriver: given.VolumeDriver ?? "",
    VolumesFrom: given.VolumesFrom ?? null,
    ConsoleSize: given.ConsoleSize ?? [0, 0],
    ...present({ Annotations: given.Annotations }),
    CapAdd: given.CapAdd ?? null,
    CapDrop: given.CapDrop ?? null,
    CgroupnsMode: given.CgroupnsMode ?? "",
    Dns: given.Dns ?? null,
    DnsOptions: given.DnsOptions ?? null,
    DnsSearch: given.DnsSearch ?? null,
    ExtraHosts: given.ExtraHosts ?? null,
    GroupAdd: given.GroupAdd ?? null,
    IpcMode: given.IpcMode ?? "",
    Cgroup: given.Cgroup ?? "",
    Links: given.Links ?? null,
    OomScoreAdj: given.OomScoreAdj ?? 0,
    PidMode: given.PidMode ?? "",
    Privileged: given.Privileged ?? false,
    PublishAllPorts: given.PublishAllPorts ?? false,
    ReadonlyRootfs: given.ReadonlyRootfs ?? false,
    SecurityOpt: given.SecurityOpt ?? null,
    ...present({ StorageOpt: given.StorageOpt, Tmpfs: given.Tmpfs }),
    UTSMode: given.UTSMode ?? "",
    UsernsMode: given.UsernsMode ?? "",
    ShmSize: given.ShmSize ?? 0,
    ...present({ Sysctls: given.Sysctls }),
    Runtime: given.Runtime ?? "",
    // Its case means nothing.
    Isolation: (given.Isolation ?? "").toLowerCase() as HostConfig["Isolation"],
    ...completeResources(given),
    ...present({ Mounts: given.Mounts }),
    MaskedPaths: given.MaskedPaths ?? null,
    ReadonlyPaths: given.ReadonlyPaths ?? null,
    ...present({ Init: given.Init }),
  };
}
