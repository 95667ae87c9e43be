import type { OCIDescriptor } from "./image.ts";
import type { EndpointSettings, NetworkSettings } from "./network.ts";

export type ChangeType = "0" | "1" | "2";

export interface ContainerBlkioStatEntry {
  major: number;
  minor: number;
  op: string;
  value: number;
}

export interface ContainerBlkioStats {
  io_service_bytes_recursive: ContainerBlkioStatEntry[];
  io_serviced_recursive?: ContainerBlkioStatEntry[];
  io_queue_recursive?: ContainerBlkioStatEntry[];
  io_service_time_recursive?: ContainerBlkioStatEntry[];
  io_wait_time_recursive?: ContainerBlkioStatEntry[];
  io_merged_recursive?: ContainerBlkioStatEntry[];
  io_time_recursive?: ContainerBlkioStatEntry[];
  sectors_recursive?: ContainerBlkioStatEntry[];
}

export interface ContainerCPUStats {
  cpu_usage: ContainerCPUUsage;
  system_cpu_usage?: number;
  online_cpus?: number;
  throttling_data: ContainerThrottlingData;
}

export interface ContainerCPUUsage {
  total_usage: number;
  percpu_usage?: number[];
  usage_in_kernelmode: number;
  usage_in_usermode: number;
}

/** A set of strings as Go's JSON writes it: keys with empty objects. */
export type StringSet = Record<string, Record<string, never>>;

/** Absent members are those that Docker leaves out when empty; `null` is an empty list or map. */
export interface ContainerConfig {
  Hostname: string;
  Domainname: string;
  User: string;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  ExposedPorts?: StringSet;
  Tty: boolean;
  OpenStdin: boolean;
  StdinOnce: boolean;
  Env: string[] | null;
  Cmd: string[] | null;
  Healthcheck?: HealthConfig;
  ArgsEscaped?: boolean;
  Image: string;
  Volumes: StringSet | null;
  WorkingDir: string;
  Entrypoint: string[] | null;
  NetworkDisabled?: boolean;
  MacAddress?: string;
  OnBuild: string[] | null;
  Labels: Record<string, string> | null;
  StopSignal?: string;
  /** Seconds; negative waits for ever. */
  StopTimeout?: number;
  Shell?: string[];
}

export interface ContainerCreateResponse {
  Id: string;
  Warnings: string[];
}

export interface ContainerInspectResponse {
  Id: string;
  Created?: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath?: string;
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  ImageManifestDescriptor?: OCIDescriptor;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  ExecIDs: string[] | null;
  HostConfig: HostConfig;
  GraphDriver?: DriverData;
  SizeRw?: number;
  SizeRootFs?: number;
  Mounts: MountPoint[];
  Config: ContainerConfig;
  NetworkSettings: NetworkSettings;
}

export interface ContainerMemoryStats {
  usage?: number;
  max_usage?: number;
  stats: Record<string, number>;
  failcnt?: number;
  limit?: number;
  commitbytes?: number;
  commitpeakbytes?: number;
  privateworkingset?: number;
}

export interface ContainerNetworkStats {
  rx_bytes: number;
  rx_packets: number;
  rx_errors: number;
  rx_dropped: number;
  tx_bytes: number;
  tx_packets: number;
  tx_errors: number;
  tx_dropped: number;
  endpoint_id?: string;
  instance_id?: string;
}

export interface ContainerPidsStats {
  current?: number;
  limit?: number;
}

export interface ContainerState {
  Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: Health;
}

export interface ContainerStatsResponse {
  name?: string;
  id?: string;
  read: string;
  preread: string;
  pids_stats: ContainerPidsStats;
  blkio_stats: ContainerBlkioStats;
  num_procs: number;
  storage_stats: ContainerStorageStats;
  cpu_stats: ContainerCPUStats;
  precpu_stats: ContainerCPUStats;
  memory_stats: ContainerMemoryStats;
  networks?: Record<string, ContainerNetworkStats>;
}

export interface ContainerStatus {
  ContainerID: string;
  PID: number;
  ExitCode: number;
}

export interface ContainerStorageStats {
  read_count_normalized?: number;
  read_size_bytes?: number;
  write_count_normalized?: number;
  write_size_bytes?: number;
}

export interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  ImageID: string;
  ImageManifestDescriptor?: OCIDescriptor;
  Command: string;
  /** Unix seconds. */
  Created: number;
  Ports: Port[];
  SizeRw?: number;
  SizeRootFs?: number;
  Labels: Record<string, string>;
  State: "created" | "running" | "paused" | "restarting" | "exited" | "removing" | "dead";
  Status: string;
  HostConfig: {
    NetworkMode?: string;
    Annotations?: Record<string, string>;
  };
  NetworkSettings: {
    Networks: Record<string, EndpointSettings>;
  };
  Mounts: MountPoint[];
}

export interface ContainerThrottlingData {
  periods: number;
  throttled_periods: number;
  throttled_time: number;
}

export interface ContainerTopResponse {
  Titles: string[];
  Processes: string[][];
}

export interface ContainerUpdateResponse {
  Warnings: string[];
}

export interface ContainerWaitExitError {
  Message: string;
}

export interface ContainerWaitResponse {
  StatusCode: number;
  Error?: ContainerWaitExitError;
}

export interface ContainerdInfo {
  Address: string;
  Namespaces: {
    Containers: string;
    Plugins: string;
  };
}

export interface DeviceInfo {
  Source: string;
  ID: string;
}

export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
}

export interface DeviceRequest {
  Driver: string;
  Count: number;
  DeviceIDs: string[] | null;
  Capabilities: string[][] | null;
  Options: Record<string, string> | null;
}

export interface DriverData {
  Name: string;
  Data: Record<string, string> | null;
}

export interface FilesystemChange {
  Path: string;
  Kind: ChangeType;
}

export interface Health {
  Status: "none" | "starting" | "healthy" | "unhealthy";
  FailingStreak: number;
  Log: HealthcheckResult[] | null;
}

/** Durations in nanoseconds; 0 or absent: inherited, then the default. */
export interface HealthConfig {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

export interface HealthcheckResult {
  Start: string;
  End: string;
  ExitCode: number;
  Output: string;
}

export interface LogConfig {
  Type: string;
  Config: Record<string, string> | null;
}

/** In the order in which Docker writes the members. */
export interface HostConfig extends Resources {
  Binds: string[] | null;
  ContainerIDFile: string;
  LogConfig: LogConfig;
  NetworkMode: string;
  PortBindings: PortMap | null;
  RestartPolicy: RestartPolicy;
  AutoRemove: boolean;
  VolumeDriver: string;
  VolumesFrom: string[] | null;
  /** Height, width. */
  ConsoleSize: [number, number];
  Annotations?: Record<string, string>;
  CapAdd: string[] | null;
  CapDrop: string[] | null;
  CgroupnsMode: "private" | "host" | "";
  Dns: string[] | null;
  DnsOptions: string[] | null;
  DnsSearch: string[] | null;
  ExtraHosts: string[] | null;
  GroupAdd: string[] | null;
  IpcMode: string;
  Cgroup: string;
  Links: string[] | null;
  OomScoreAdj: number;
  PidMode: string;
  Privileged: boolean;
  PublishAllPorts: boolean;
  ReadonlyRootfs: boolean;
  SecurityOpt: string[] | null;
  StorageOpt?: Record<string, string>;
  Tmpfs?: Record<string, string>;
  UTSMode: string;
  UsernsMode: string;
  /** Bytes. */
  ShmSize: number;
  Sysctls?: Record<string, string>;
  Runtime?: string;
  Isolation: "default" | "process" | "hyperv" | "";
  Mounts?: Mount[];
  MaskedPaths: string[] | null;
  ReadonlyPaths: string[] | null;
  Init?: boolean;
}

export type Propagation = "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";
export type MountType = "bind" | "volume" | "image" | "tmpfs" | "npipe" | "cluster";

export interface Mount {
  Type?: MountType;
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: Propagation | "";
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string>;
    Subpath?: string;
    DriverConfig?: {
      Name?: string;
      Options?: Record<string, string>;
    };
  };
  ImageOptions?: {
    Subpath?: string;
  };
  TmpfsOptions?: {
    SizeBytes?: number;
    Mode?: number;
    Options?: string[][];
  };
  ClusterOptions?: Record<string, never>;
}

export interface MountPoint {
  Type?: MountType;
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation: Propagation | "";
}

export interface Port {
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: "tcp" | "udp" | "sctp";
}

export interface PortBinding {
  HostIp: string;
  HostPort: string;
}

export type PortMap = Record<string, PortBinding[] | null>;

export interface ProcessConfig {
  privileged: boolean;
  user: string;
  tty: boolean;
  entrypoint: string;
  arguments: string[];
}

export interface WeightDevice {
  Path: string;
  Weight: number;
}

export interface Ulimit {
  Name: string;
  Soft: number;
  Hard: number;
}

export interface Resources {
  CpuShares: number;
  Memory: number;
  NanoCpus: number;
  CgroupParent: string;
  BlkioWeight: number;
  BlkioWeightDevice: WeightDevice[] | null;
  BlkioDeviceReadBps: ThrottleDevice[] | null;
  BlkioDeviceWriteBps: ThrottleDevice[] | null;
  BlkioDeviceReadIOps: ThrottleDevice[] | null;
  BlkioDeviceWriteIOps: ThrottleDevice[] | null;
  CpuPeriod: number;
  CpuQuota: number;
  CpuRealtimePeriod: number;
  CpuRealtimeRuntime: number;
  CpusetCpus: string;
  CpusetMems: string;
  Devices: DeviceMapping[] | null;
  DeviceCgroupRules: string[] | null;
  DeviceRequests: DeviceRequest[] | null;
  KernelMemory?: number;
  KernelMemoryTCP?: number;
  MemoryReservation: number;
  MemorySwap: number;
  MemorySwappiness: number | null;
  OomKillDisable: boolean | null;
  PidsLimit: number | null;
  Ulimits: Ulimit[] | null;
  CpuCount: number;
  CpuPercent: number;
  IOMaximumIOps: number;
  IOMaximumBandwidth: number;
}

export interface RestartPolicy {
  Name: "" | "no" | "always" | "unless-stopped" | "on-failure";
  MaximumRetryCount: number;
}

export interface ThrottleDevice {
  Path: string;
  Rate: number;
}
