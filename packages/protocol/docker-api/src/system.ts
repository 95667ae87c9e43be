import type { ContainerdInfo, DeviceInfo } from "./container.ts";
import type { Commit } from "./image.ts";

export interface ErrorResponse {
  message: string;
}

export interface EventActor {
  ID: string;
  Attributes: Record<string, string>;
}

export interface EventMessage {
  /** Older names of Action, Actor.ID and Actor.Attributes.image, for containers and images. */
  status?: string;
  id?: string;
  from?: string;
  Type:
    | "builder"
    | "config"
    | "container"
    | "daemon"
    | "image"
    | "network"
    | "node"
    | "plugin"
    | "secret"
    | "service"
    | "volume";
  Action: string;
  Actor: EventActor;
  scope: "local" | "swarm";
  time: number;
  timeNano: number;
}

export interface FirewallInfo {
  Driver: string;
  Info: string[][];
}

export interface IDResponse {
  Id: string;
}

export interface IndexInfo {
  Name: string;
  Mirrors: string[] | null;
  Secure: boolean;
  Official: boolean;
}

export interface PluginsInfo {
  Volume: string[];
  Network: string[];
  Authorization: string[];
  Log: string[];
}

export interface RegistryServiceConfig {
  InsecureRegistryCIDRs: string[];
  IndexConfigs: Record<string, IndexInfo>;
  Mirrors: string[];
  /** These two until API 1.47. */
  AllowNondistributableArtifactsCIDRs?: null;
  AllowNondistributableArtifactsHostnames?: null;
}

export interface Runtime {
  path?: string;
  runtimeArgs?: string[];
  status?: Record<string, string>;
}

export interface SystemInfo {
  ID: string;
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Driver: string;
  DriverStatus: string[][];
  DockerRootDir: string;
  Plugins: PluginsInfo;
  MemoryLimit: boolean;
  SwapLimit: boolean;
  /** Until API 1.42. */
  KernelMemory: boolean;
  KernelMemoryTCP: boolean;
  CpuCfsPeriod: boolean;
  CpuCfsQuota: boolean;
  CPUShares: boolean;
  CPUSet: boolean;
  PidsLimit: boolean;
  OomKillDisable: boolean;
  IPv4Forwarding: boolean;
  Debug: boolean;
  NFd: number;
  NGoroutines: number;
  SystemTime: string;
  LoggingDriver: string;
  CgroupDriver: "cgroupfs" | "systemd" | "none";
  CgroupVersion: "1" | "2";
  NEventsListener: number;
  KernelVersion: string;
  OperatingSystem: string;
  OSVersion: string;
  OSType: string;
  Architecture: string;
  NCPU: number;
  MemTotal: number;
  IndexServerAddress: string;
  RegistryConfig: RegistryServiceConfig;
  GenericResources?: unknown;
  HttpProxy: string;
  HttpsProxy: string;
  NoProxy: string;
  Name: string;
  Labels: string[];
  ExperimentalBuild: boolean;
  ServerVersion: string;
  Runtimes: Record<string, Runtime>;
  DefaultRuntime: string;
  Swarm: Record<string, unknown>;
  LiveRestoreEnabled: boolean;
  Isolation: "default" | "hyperv" | "process" | "";
  InitBinary: string;
  ContainerdCommit: Commit;
  RuncCommit: Commit;
  InitCommit: Commit;
  SecurityOptions: string[];
  ProductLicense: string;
  DefaultAddressPools: {
    Base: string;
    Size: number;
  }[];
  FirewallBackend: FirewallInfo;
  DiscoveredDevices: DeviceInfo[];
  Warnings: string[];
  CDISpecDirs: string[];
  Containerd: ContainerdInfo;
}

export interface SystemVersion {
  Platform: {
    Name: string;
  };
  Components: {
    Name: string;
    Version: string;
    Details?: Record<string, unknown>;
  }[];
  Version: string;
  ApiVersion: string;
  MinAPIVersion: string;
  GitCommit: string;
  GoVersion: string;
  Os: string;
  Arch: string;
  KernelVersion: string;
  Experimental: boolean;
  BuildTime: string;
}
