import {
  bool,
  command,
  type Document,
  filled,
  type Infer,
  int,
  int64,
  leftOut,
  list,
  map,
  named,
  size,
  struct,
  text,
} from "@longshore/go-json";
import { everyPort } from "./container-config.ts";
import { mountShape } from "./mount.ts";
import { resourceFields } from "./resources.ts";

const portBinding = filled("nat.PortBinding", { HostIp: text, HostPort: text });

/** By port and protocol, such as `80/tcp`. */
export const portMapShape = map(list(portBinding), undefined, everyPort);

export const restartPolicyShape = struct("container.RestartPolicy", {
  Name: named<"" | "no" | "always" | "unless-stopped" | "on-failure">("container.RestartPolicyMode"),
  MaximumRetryCount: int,
});

const logConfig = struct("container.LogConfig", { Type: text, Config: map(text) });

/** In the order in which Docker writes the members. */
export const hostConfigShape = struct("container.HostConfig", {
  Binds: list(text),
  ContainerIDFile: text,
  LogConfig: logConfig,
  NetworkMode: named("container.NetworkMode"),
  PortBindings: portMapShape,
  RestartPolicy: restartPolicyShape,
  AutoRemove: bool,
  VolumeDriver: text,
  VolumesFrom: list(text),
  /** Height, width. */
  ConsoleSize: size,
  Annotations: leftOut(map(text)),
  CapAdd: command,
  CapDrop: command,
  CgroupnsMode: named<"private" | "host" | "">("container.CgroupnsMode"),
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
  StorageOpt: leftOut(map(text)),
  Tmpfs: leftOut(map(text)),
  UTSMode: named("container.UTSMode"),
  UsernsMode: named("container.UsernsMode"),
  /** Bytes. */
  ShmSize: int64,
  Sysctls: leftOut(map(text)),
  Runtime: leftOut(text),
  Isolation: named<"default" | "process" | "hyperv" | "">("container.Isolation"),
  ...resourceFields,
  Mounts: leftOut(list(mountShape)),
  MaskedPaths: list(text),
  ReadonlyPaths: list(text),
  Init: leftOut(bool),
});

/** What an update changes. */
export const updateShape = struct("container.UpdateConfig", { ...resourceFields, RestartPolicy: restartPolicyShape });

export type PortBinding = Document<typeof portBinding>;
export type PortMap = NonNullable<Document<typeof portMapShape>>;
export type RestartPolicy = Document<typeof restartPolicyShape>;
export type LogConfig = Document<typeof logConfig>;
export type HostConfig = Document<typeof hostConfigShape>;
/** As a body asks for it. */
export type HostConfigRequest = Infer<typeof hostConfigShape>;
export type UpdateRequest = Infer<typeof updateShape>;
