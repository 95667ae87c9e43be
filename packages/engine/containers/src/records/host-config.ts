import type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  LogConfig,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from "@longshore/docker-api";
import {
  type Fields,
  flag,
  integer,
  listOf,
  mapOf,
  nullable,
  oneOf,
  optional,
  portMap,
  type Reader,
  record,
  required,
  text,
  tupleOf,
} from "@longshore/records";
import { mount } from "./mount.ts";

const texts = nullable(listOf(text));
const throttles = nullable(listOf(record<ThrottleDevice>({ Path: text, Rate: integer({ min: 0 }) })));

/** `name:alias`, or a name alone. */
const link = required(text, (given) => (/^[^:]+(:[^:]+)?$/.test(given) ? undefined : "is no link"));

/** In the order in which Docker writes the members. */
const fields: Fields<HostConfig> = {
  Binds: texts,
  ContainerIDFile: text,
  LogConfig: record<LogConfig>({ Type: text, Config: nullable(mapOf(text)) }),
  NetworkMode: text,
  PortBindings: nullable(portMap),
  RestartPolicy: record<RestartPolicy>({
    Name: oneOf("", "no", "always", "unless-stopped", "on-failure"),
    MaximumRetryCount: integer(),
  }),
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: texts,
  ConsoleSize: tupleOf(integer({ min: 0 })),
  Annotations: optional(mapOf(text)),
  CapAdd: texts,
  CapDrop: texts,
  CgroupnsMode: oneOf("", "private", "host"),
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: texts,
  GroupAdd: texts,
  IpcMode: text,
  Cgroup: text,
  Links: nullable(listOf(link)),
  OomScoreAdj: integer(),
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: texts,
  StorageOpt: optional(mapOf(text)),
  Tmpfs: optional(mapOf(text)),
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer({ min: 0 }),
  Sysctls: optional(mapOf(text)),
  Runtime: optional(text),
  Isolation: oneOf("", "default", "process", "hyperv"),
  CpuShares: integer(),
  Memory: integer(),
  NanoCpus: integer(),
  CgroupParent: text,
  BlkioWeight: integer(),
  BlkioWeightDevice: nullable(listOf(record<WeightDevice>({ Path: text, Weight: integer({ min: 0 }) }))),
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: integer(),
  CpuQuota: integer(),
  CpuRealtimePeriod: integer(),
  CpuRealtimeRuntime: integer(),
  CpusetCpus: text,
  CpusetMems: text,
  Devices: nullable(
    listOf(record<DeviceMapping>({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text })),
  ),
  DeviceCgroupRules: texts,
  DeviceRequests: nullable(
    listOf(
      record<DeviceRequest>({
        Driver: text,
        Count: integer(),
        DeviceIDs: texts,
        Capabilities: nullable(listOf(listOf(text))),
        Options: nullable(mapOf(text)),
      }),
    ),
  ),
  KernelMemory: optional(integer()),
  KernelMemoryTCP: optional(integer()),
  MemoryReservation: integer(),
  MemorySwap: integer(),
  MemorySwappiness: nullable(integer()),
  OomKillDisable: nullable(flag),
  PidsLimit: nullable(integer()),
  Ulimits: nullable(listOf(record<Ulimit>({ Name: text, Hard: integer(), Soft: integer() }))),
  CpuCount: integer(),
  CpuPercent: integer(),
  IOMaximumIOps: integer(),
  IOMaximumBandwidth: integer(),
  Mounts: optional(listOf(mount)),
  MaskedPaths: texts,
  ReadonlyPaths: texts,
  Init: optional(flag),
};

const read = record<HostConfig>(fields);

/** hostconfig.json. Of older engines: without a network it is the default one's, without a log driver it has Docker's own. */
export const hostConfigRecord: Reader<HostConfig> = (value, at) => {
  const config = read(value, at);
  if (config.NetworkMode === "" || config.NetworkMode === "default") config.NetworkMode = "bridge";
  if (config.LogConfig.Type === "") config.LogConfig.Type = "json-file";
  return config;
};
