import type { ContainerConfig } from "./documents/container-config.ts";
import type { EndpointSettings } from "./documents/endpoint.ts";
import type { HostConfig } from "./documents/host-config.ts";
import type { MountType, Propagation } from "./documents/mount.ts";
import type { OCIDescriptor } from "./image.ts";
import type { NetworkSettings } from "./network.ts";

export type ChangeType = "0" | "1" | "2";

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

export interface ContainerStatus {
  ContainerID: string;
  PID: number;
  ExitCode: number;
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
  Labels: Record<string, string> | null;
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

export interface HealthcheckResult {
  Start: string;
  End: string;
  ExitCode: number;
  Output: string;
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

export interface ProcessConfig {
  privileged: boolean;
  user: string;
  tty: boolean;
  entrypoint: string;
  arguments: string[];
}
