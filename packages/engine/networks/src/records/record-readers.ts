import type { PublishedPort } from "@longshore/proxy-api";
import type { IPAM, IPAMConfig } from "@longshore/docker-api";
import {
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
  requestedEndpoint,
  required,
  text,
} from "@longshore/records";
import { parseAddress, parsePrefix } from "@longshore/ip";
import type { SubnetRecord } from "../ipam/subnet.ts";
import type {
  PluginRelease,
  EndpointRecord,
  NetworkRecord,
  ParentRecord,
  PoolRecord,
  RemoteJoin,
  SandboxRecord,
} from "./record-types.ts";

const texts = listOf(text);
const id = required(text, (given) => (given === "" ? "is empty" : undefined));
const prefix = required(text, (given) => (parsePrefix(given) === undefined ? "is no CIDR block" : undefined));
const addressOrNone: Reader<string> = (value, at) =>
  required(text, (given) => (given === "" || parseAddress(given) !== undefined ? undefined : "is no address"))(
    value ?? "",
    at,
  );
const port = integer({ min: 0, max: 65_535 });
const family = <T>(read: Reader<T>): Reader<{ 4: T; 6: T }> =>
  record<{ 4: T; 6: T }>({ 4: read as never, 6: read as never });

const ipam = record<IPAM>({
  Driver: text,
  Options: nullable(mapOf(text)),
  Config: nullable(
    listOf(
      record<IPAMConfig>({
        Subnet: optional(text),
        IPRange: optional(text),
        Gateway: optional(text),
        AuxiliaryAddresses: optional(mapOf(text)),
      }),
    ),
  ),
});

const subnet = record<SubnetRecord>({
  subnet: prefix,
  range: prefix,
  gateway: addressOrNone,
  auxiliary: texts,
  router: optional(addressOrNone),
});

const pool = record<PoolRecord>({
  id: text,
  family: required(integer(), (given) => (given === 4 || given === 6 ? undefined : "is neither 4 nor 6")) as Reader<
    4 | 6
  >,
  addressSpace: text,
  pool: prefix,
  wanted: record<PoolRecord["wanted"]>({ pool: text, subPool: text }),
  gateway: text,
  auxiliary: mapOf(text),
});

/** @throws DataLoss, as the others here */
export const networkRecord: Reader<NetworkRecord> = record<NetworkRecord>({
  id,
  name: id,
  created: text,
  driver: id,
  scope: text,
  enableIPv4: flag,
  enableIPv6: flag,
  ipam,
  internal: flag,
  attachable: flag,
  ingress: flag,
  configOnly: flag,
  configFrom: text,
  options: mapOf(text),
  labels: mapOf(text),
  pools: optional(listOf(pool)),
  subnets: listOf(subnet),
  userSubnets: texts,
  parent: optional(record<ParentRecord>({ device: text, ours: flag })),
  bridge: text,
  ownsBridge: flag,
  ownAddresses: texts,
});

const join = record<RemoteJoin>({
  source: text,
  gateways: family(text),
  routes: listOf(record<RemoteJoin["routes"][number]>({ destination: prefix, nextHop: text })),
  noGateway: flag,
});

/** True, or not there. */
const mark = optional(((value, at) => (flag(value, at) ? true : undefined)) as Reader<true>);

export const endpointRecord: Reader<EndpointRecord> = record<EndpointRecord>({
  id,
  networkId: id,
  containerId: id,
  ifname: text,
  veth: text,
  mac: text,
  ipv4: addressOrNone,
  ipv6: addressOrNone,
  settings: requestedEndpoint,
  bits: optional(family(integer({ min: 0, max: 128 }))),
  remote: optional(join),
  service: mark,
});

const published = record<PublishedPort>({
  proto: oneOf("tcp", "udp", "sctp"),
  hostIp: addressOrNone,
  hostPort: port,
  containerIp: addressOrNone,
  containerPort: port,
});

export const sandboxRecord: Reader<SandboxRecord> = record<SandboxRecord>({
  id,
  containerId: id,
  containerName: text,
  mode: oneOf("private", "host"),
  netnsPath: text,
  hostname: text,
  domainname: text,
  containerDir: text,
  portRequest: record<SandboxRecord["portRequest"]>({ bindings: portMap, exposed: texts, publishAll: flag }),
  published: listOf(published),
  dns: nullable(record<NonNullable<SandboxRecord["dns"]>>({ servers: texts, onHost: flag, ndotsSet: optional(flag) })),
  resolver: optional(
    record<NonNullable<SandboxRecord["resolver"]>>({ dns: texts, dnsSearch: texts, dnsOptions: texts, written: text }),
  ),
  noIPv6: mark,
  links: optional(listOf(record<NonNullable<SandboxRecord["links"]>[number]>({ containerId: id, ports: texts }))),
});

const anything: Reader<object> = (value) => (value !== null && typeof value === "object" ? value : {});

export const releaseRecord: Reader<PluginRelease> = record<PluginRelease>({
  id: required(integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  owner: id,
  plugin: id,
  method: id,
  body: anything,
});
