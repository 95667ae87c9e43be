import type {
  ContainerConfig,
  EndpointSettings,
  Health,
  HostConfig,
  OCIDescriptor,
  OCIPlatform,
  PortMap,
} from "@longshore/docker-api";
import type { MountRecord } from "@longshore/docker-spec";

/** Go's zero time, which Docker writes for "never". */
export const never = "0001-01-01T00:00:00Z";

/** `State` of config.v2.json. Restarting implies Running, as for Docker. */
export interface StateRecord {
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  RemovalInProgress: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health: Health | null;
}

interface NetworkRecord {
  Bridge: string;
  SandboxID: string;
  SandboxKey: string;
  Networks: Record<string, EndpointSettings>;
  Ports: PortMap | null;
}

/** config.v2.json: everything about a container but its host configuration, in Docker's own layout. */
export interface ContainerRecord {
  State: StateRecord;
  /** A commit has it stand still, or is about to: were the engine killed, nobody else would let it go on. */
  PausedForCommit?: boolean;
  /** Once its removal has begun: whether its anonymous volumes go, too. */
  RemovingVolumes?: boolean;
  ID: string;
  Created: string;
  Path: string;
  Args: string[];
  Config: ContainerConfig;
  /** Image ID. */
  Image: string;
  ImageManifest: OCIDescriptor | null;
  ImagePlatform: OCIPlatform;
  NetworkSettings: NetworkRecord;
  /** What was asked of each network, by network name; addresses in NetworkSettings come and go. */
  EndpointRequests: Record<string, Partial<EndpointSettings>>;
  LogPath: string;
  /** With the leading slash. */
  Name: string;
  Driver: string;
  OS: string;
  RestartCount: number;
  HasBeenStartedBefore: boolean;
  HasBeenManuallyStopped: boolean;
  /** By destination. */
  MountPoints: Record<string, MountRecord>;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  SeccompProfile: string;
  NoNewPrivileges: boolean;
  HostnamePath: string;
  HostsPath: string;
  ResolvConfPath: string;
  ShmPath: string;
}

export function newState(): StateRecord {
  return {
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    RemovalInProgress: false,
    Dead: false,
    Pid: 0,
    ExitCode: 0,
    Error: "",
    StartedAt: never,
    FinishedAt: never,
    Health: null,
  };
}

export type Status = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** Docker's one word for a state. */
export function statusOf(state: StateRecord): Status {
  if (state.Running) {
    if (state.Paused) return "paused";
    return state.Restarting ? "restarting" : "running";
  }
  if (state.RemovalInProgress) return "removing";
  if (state.Dead) return "dead";
  return state.StartedAt === never ? "created" : "exited";
}

export type { HostConfig };
