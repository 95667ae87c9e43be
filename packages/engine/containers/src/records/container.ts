import {
  containerConfigShape,
  type EndpointSettings,
  type HealthcheckResult,
  type Health,
  type OCIDescriptor,
  type OCIPlatform,
} from "@longshore/docker-api";
import { hostPlatform } from "@longshore/oci";
import {
  endpointFields,
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
  readerOf,
  record,
  requestedEndpoint,
  required,
  text,
  time,
} from "@longshore/records";
import { type ContainerRecord, never, type StateRecord } from "../model/record.ts";
import { mountPoint } from "./mount.ts";

const health = record<Health>({
  Status: oneOf("none", "starting", "healthy", "unhealthy"),
  FailingStreak: integer({ min: 0 }),
  Log: nullable(
    listOf(record<HealthcheckResult>({ Start: time(never), End: time(never), ExitCode: integer(), Output: text })),
  ),
});

const state: Fields<StateRecord> = {
  Running: flag,
  Paused: flag,
  Restarting: flag,
  OOMKilled: flag,
  RemovalInProgress: flag,
  Dead: flag,
  Pid: integer({ min: 0 }),
  ExitCode: integer(),
  Error: text,
  StartedAt: time(never),
  FinishedAt: time(never),
  Health: nullable(health),
};

const platformFields: Fields<OCIPlatform> = {
  architecture: text,
  os: text,
  "os.version": optional(text),
  "os.features": optional(listOf(text)),
  variant: optional(text),
};

const descriptor = record<OCIDescriptor>({
  mediaType: text,
  digest: required(text, (digest) => (/^[a-z0-9]+:[a-f0-9]{32,}$/.test(digest) ? undefined : "is no digest")),
  size: integer({ min: 0 }),
  urls: optional(listOf(text)),
  annotations: optional(mapOf(text)),
  data: optional(text),
  platform: optional(record(platformFields)),
  artifactType: optional(text),
});

/** Members of an endpoint that Docker keeps beside the ones that it shows. */
interface DockerEndpoint extends EndpointSettings {
  DesiredMacAddress?: string;
}

const endpoint = record<EndpointSettings>(endpointFields);
const dockerEndpoint = record<DockerEndpoint>({ ...endpointFields, DesiredMacAddress: optional(text) });

/** What a container of Docker asked of its networks: its record keeps that within `Networks`. */
function requestsIn(networks: Record<string, DockerEndpoint>): ContainerRecord["EndpointRequests"] {
  const asked = ({
    IPAMConfig,
    Links,
    Aliases,
    DriverOpts,
    GwPriority,
    DesiredMacAddress: MacAddress,
  }: DockerEndpoint): Partial<EndpointSettings> => ({
    ...Object.fromEntries(
      Object.entries({ IPAMConfig, Links, Aliases, DriverOpts }).filter(([, value]) => value !== null),
    ),
    ...(GwPriority === 0 ? {} : { GwPriority }),
    ...(MacAddress === undefined || MacAddress === "" ? {} : { MacAddress }),
  });
  return Object.fromEntries(Object.entries(networks).map(([name, each]) => [name, asked(each)]));
}

const fields: Fields<ContainerRecord> = {
  State: required(record(state)),
  PausedForCommit: optional(flag),
  RemovingVolumes: optional(flag),
  ID: required(text, (id) => (/^[0-9a-f]{64}$/.test(id) ? undefined : "is no id")),
  Created: time(never),
  Path: text,
  Args: listOf(text),
  Config: required(readerOf(containerConfigShape)),
  Image: text,
  ImageManifest: nullable(descriptor),
  ImagePlatform: record(platformFields),
  NetworkSettings: record<ContainerRecord["NetworkSettings"]>({
    Bridge: text,
    SandboxID: text,
    SandboxKey: text,
    Networks: mapOf(endpoint),
    Ports: nullable(portMap),
  }),
  EndpointRequests: mapOf(requestedEndpoint),
  LogPath: text,
  Name: required(text, (name) =>
    /^\/[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) ? undefined : "is no name of a container",
  ),
  Driver: text,
  OS: text,
  RestartCount: integer({ min: 0 }),
  HasBeenStartedBefore: flag,
  HasBeenManuallyStopped: flag,
  MountPoints: mapOf(mountPoint),
  MountLabel: text,
  ProcessLabel: text,
  AppArmorProfile: text,
  SeccompProfile: text,
  NoNewPrivileges: flag,
  HostnamePath: text,
  HostsPath: text,
  ResolvConfPath: text,
  ShmPath: text,
};

const read = record<ContainerRecord>(fields);
const dockerNetworks = record<{ NetworkSettings: { Networks: Record<string, DockerEndpoint> } }>({
  NetworkSettings: record({ Networks: mapOf(dockerEndpoint) }),
});

/** config.v2.json, Docker's own too. @throws DataLoss */
export const containerRecord: Reader<ContainerRecord> = (value, at) => {
  const own = read(value, at);
  if (!Object.hasOwn(value as object, "EndpointRequests"))
    own.EndpointRequests = requestsIn(dockerNetworks(value, at).NetworkSettings.Networks);
  const { architecture, os } = hostPlatform();
  own.ImagePlatform.architecture ||= architecture;
  own.ImagePlatform.os ||= own.OS || os;
  own.OS ||= own.ImagePlatform.os;
  return own;
};
