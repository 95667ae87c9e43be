import type { ContainerConfig, HostConfig, Mount, MountType, Propagation, Ulimit } from "@longshore/docker-api";
import type { Process } from "@longshore/oci";
import type { HostFacts } from "./host/host.ts";

/**
 * A mount point of a container as its record (config.v2.json, `MountPoints` by destination) keeps
 * it; member names are Docker's.
 */
export interface MountRecord {
  Type: MountType;
  /** Host path of a bind; path of the volume once it is known; empty before, and for tmpfs. */
  Source: string;
  Destination: string;
  RW: boolean;
  /** Volume name; empty for an anonymous volume that is not created yet. */
  Name: string;
  Driver: string;
  /** The mode as given (`ro,z`), shown as Mode by inspect. */
  Relabel?: string;
  Propagation?: Propagation | "";
  /** What was asked for, when it was asked for by this container (not by the image). */
  Spec: Mount;
  /** Whether the image's content is copied into an empty volume at creation. */
  CopyData?: boolean;
  /** Whether a missing bind source is an error (`--mount type=bind`) instead of being made (`-v`). */
  SkipMountpointCreation: boolean;
}

/** A mount point that is ready to be mounted: `source` is a path on the host (empty for tmpfs). */
export interface ReadyMount {
  record: MountRecord;
  source: string;
}

/** The numbers behind a `user[:group]` and `--group-add`. */
export interface ResolvedUser {
  uid: number;
  gid: number;
  /** The primary group first, as the real engine passes it. */
  additionalGids: number[];
}

/** What the engine's configuration adds to each container. */
export interface EngineSettings {
  /** The engine's data root: a bind that contains it, or lies in it, is a slave unless asked otherwise. */
  dataRoot: string;
  /** `--cgroup-parent`; empty: `/docker`, or `system.slice` with the systemd driver. */
  cgroupParent: string;
  /** `--default-ulimit`s. */
  defaultUlimits: Ulimit[];
  /** `--no-new-privileges` */
  noNewPrivileges: boolean;
  /** `--seccomp-profile`: JSON text, `unconfined`, or empty for the built-in one. */
  seccompProfile: string;
  /** `--init`: containers that do not say get an init. */
  init: boolean;
  /** Host path of the init binary (tini), bound to /sbin/docker-init. */
  initPath: string;
  /** Names that `--runtime` takes, `runc` and `io.containerd.runc.v2` among them. */
  runtimes: string[];
  defaultRuntime: string;
  /** Bytes, 64 MiB unless configured. */
  defaultShmSize: number;
  defaultIpcMode: "private" | "shareable";
  /** Empty: private on cgroup v2, host on v1. */
  defaultCgroupnsMode: "private" | "host" | "";
}

export interface SpecInput {
  /** 64 hex digits. */
  id: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** Entrypoint and Cmd joined: `Path` and `Args` of the container. */
  args: string[];
  /** The root file system: absolute, or relative to the bundle (`rootfs` under containerd). */
  rootPath: string;
  user: ResolvedUser;
  /** All mount points, tmpfs ones included, in any order. */
  mounts: ReadyMount[];
  /** Host paths of the files that the engine writes for the container; an absent one is not mounted. */
  files: { resolvConf?: string; hostname?: string; hosts?: string };
  /**
   * Host directory with the shared memory: of this container for `--ipc shareable`, of the other
   * one for `container:`, /dev/shm for `host`. Not for `private` and `none`.
   */
  shmPath?: string;
  namespaces: {
    /** Path to join; absent: a new one. Not used with `--network host`. */
    network?: string;
    /** `/proc/PID/ns/ipc` of the other container, for `--ipc container:`. */
    ipc?: string;
    /** For `--pid container:`. */
    pid?: string;
  };
  /** Variables of legacy links, before those of the configuration. */
  linkEnv?: string[];
  host: HostFacts;
  settings: EngineSettings;
}

/** A process to run inside a running container. */
export interface ExecInput {
  /** `process` of the container's spec: what the exec inherits. */
  process: Process;
  config: ContainerConfig;
  hostConfig: HostConfig;
  args: string[];
  /** Variables of legacy links, before those of the container's configuration. */
  linkEnv: readonly string[];
  env: string[];
  /** Resolved from the exec's user, else inherited. */
  user?: ResolvedUser;
  /** Empty: the container's. */
  workingDir: string;
  tty: boolean;
  /** Height, width. */
  consoleSize?: [number, number];
  privileged: boolean;
  host: HostFacts;
  settings: EngineSettings;
}
