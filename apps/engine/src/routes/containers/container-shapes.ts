import {
  bool,
  command,
  duration,
  empty,
  filled,
  int,
  int64,
  list,
  manyWords,
  map,
  named,
  type Shape,
  size,
  struct,
  text,
  uint16,
  uint64,
} from "@longshore/go-json";

/** The ports of TCP, UDP and SCTP. */
const everyPort = 3 * 65_535;

const healthcheck = struct("container.HealthConfig", {
  Test: list(text),
  Interval: duration,
  Timeout: duration,
  StartPeriod: duration,
  StartInterval: duration,
  Retries: int,
});

const configFields: Record<string, Shape> = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: map(empty, undefined, everyPort),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: list(text, undefined, manyWords),
  Cmd: command,
  Healthcheck: healthcheck,
  ArgsEscaped: bool,
  Image: text,
  Volumes: map(empty),
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: bool,
  MacAddress: text,
  OnBuild: list(text),
  Labels: map(text),
  StopSignal: text,
  StopTimeout: int,
  Shell: command,
};

const throttle = list(filled("*blkiodev.ThrottleDevice", { Path: text, Rate: uint64 }));

const resourceFields: Record<string, Shape> = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: text,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(filled("*blkiodev.WeightDevice", { Path: text, Weight: uint16 })),
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: list(
    filled("container.DeviceMapping", { PathOnHost: text, PathInContainer: text, CgroupPermissions: text }),
  ),
  DeviceCgroupRules: list(text),
  DeviceRequests: list(
    filled("container.DeviceRequest", {
      Driver: text,
      Count: int,
      DeviceIDs: list(text),
      Capabilities: list(list(text)),
      Options: map(text),
    }),
  ),
  KernelMemory: int64,
  KernelMemoryTCP: int64,
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: int64,
  OomKillDisable: bool,
  PidsLimit: int64,
  Ulimits: list(filled("*container.Ulimit", { Name: text, Soft: int64, Hard: int64 })),
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
};

const restartPolicy = struct("container.RestartPolicy", {
  Name: named("container.RestartPolicyMode"),
  MaximumRetryCount: int,
});

const mode: Shape = { kind: "int", go: "fs.FileMode", as: "uint32" };

const mount = struct("mount.Mount", {
  Type: named("mount.Type"),
  Source: text,
  Target: text,
  ReadOnly: bool,
  Consistency: named("mount.Consistency"),
  BindOptions: struct("mount.BindOptions", {
    Propagation: named("mount.Propagation"),
    NonRecursive: bool,
    CreateMountpoint: bool,
    ReadOnlyNonRecursive: bool,
    ReadOnlyForceRecursive: bool,
  }),
  VolumeOptions: struct("mount.VolumeOptions", {
    NoCopy: bool,
    Labels: map(text),
    Subpath: text,
    DriverConfig: struct("mount.Driver", { Name: text, Options: map(text) }),
  }),
  ImageOptions: struct("mount.ImageOptions", { Subpath: text }),
  TmpfsOptions: struct("mount.TmpfsOptions", { SizeBytes: int64, Mode: mode, Options: list(list(text)) }),
  ClusterOptions: struct("mount.ClusterOptions", {}),
});

const portBindings = map(list(filled("nat.PortBinding", { HostIp: text, HostPort: text })), undefined, everyPort);

/** The body of a change of published ports. */
export const portsBody = struct("PortsRequest", { PortBindings: portBindings });

const hostConfig = struct("container.HostConfig", {
  ...resourceFields,
  Binds: list(text),
  ContainerIDFile: text,
  LogConfig: struct("container.LogConfig", { Type: text, Config: map(text) }),
  NetworkMode: named("container.NetworkMode"),
  PortBindings: portBindings,
  RestartPolicy: restartPolicy,
  AutoRemove: bool,
  VolumeDriver: text,
  VolumesFrom: list(text),
  ConsoleSize: size,
  Annotations: map(text),
  CapAdd: command,
  CapDrop: command,
  CgroupnsMode: named("container.CgroupnsMode"),
  Dns: list(text),
  DnsOptions: list(text),
  DnsSearch: list(text),
  ExtraHosts: list(text),
  GroupAdd: list(text),
  IpcMode: named("container.IpcMode"),
  Cgroup: named("container.CgroupSpec"),
  Links: list(text),
  OomScoreAdj: int,
  PidMode: named("container.PidMode"),
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: list(text),
  StorageOpt: map(text),
  Tmpfs: map(text),
  UTSMode: named("container.UTSMode"),
  UsernsMode: named("container.UsernsMode"),
  ShmSize: int64,
  Sysctls: map(text),
  Runtime: text,
  Isolation: named("container.Isolation"),
  Mounts: list(mount),
  MaskedPaths: list(text),
  ReadonlyPaths: list(text),
  Init: bool,
});

/** What a container, or a network's connect, says of one endpoint. */
export const endpointSettings = struct("network.EndpointSettings", {
  IPAMConfig: struct("network.EndpointIPAMConfig", { IPv4Address: text, IPv6Address: text, LinkLocalIPs: list(text) }),
  Links: list(text),
  Aliases: list(text),
  MacAddress: text,
  DriverOpts: map(text),
  GwPriority: int,
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: int,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: int,
  DNSNames: list(text),
});

/** Body of `POST /containers/create`. */
export const createBody = struct(
  "container.CreateRequest",
  {
    ...configFields,
    HostConfig: hostConfig,
    NetworkingConfig: struct("network.NetworkingConfig", { EndpointsConfig: map(endpointSettings) }),
  },
  "",
);

/** Body of `POST /commit`. */
export const configBody = struct("container.CreateRequest", configFields, "");

/** Body of `POST /containers/{id}/update`. */
export const updateBody = struct("container.UpdateConfig", { ...resourceFields, RestartPolicy: restartPolicy });

/** Body of `POST /containers/{id}/exec`. */
export const execBody = struct("container.ExecOptions", {
  User: text,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: size,
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  DetachKeys: text,
  Env: list(text, undefined, manyWords),
  WorkingDir: text,
  Cmd: list(text, undefined, manyWords),
});

/** Body of `POST /exec/{id}/start`. */
export const execStartBody = struct("container.ExecStartOptions", { Detach: bool, Tty: bool, ConsoleSize: size });
