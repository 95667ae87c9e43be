import type { EndpointIPAMConfig, EndpointSettings, PortBinding, PortMap } from "@longshore/docker-api";
import { type Fields, integer, listOf, mapOf, nullable, optional, type Reader, record, text } from "./readers.ts";

const texts = listOf(text);

export const endpointFields: Fields<EndpointSettings> = {
  IPAMConfig: nullable(
    record<EndpointIPAMConfig>({
      IPv4Address: optional(text),
      IPv6Address: optional(text),
      LinkLocalIPs: optional(texts),
    }),
  ),
  Links: nullable(texts),
  Aliases: nullable(texts),
  MacAddress: text,
  DriverOpts: nullable(mapOf(text)),
  GwPriority: integer(),
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: integer({ min: 0, max: 128 }),
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: integer({ min: 0, max: 128 }),
  DNSNames: nullable(texts),
};

export const portMap: Reader<PortMap> = mapOf(nullable(listOf(record<PortBinding>({ HostIp: text, HostPort: text }))));

/** Settings that were asked for: what is not named was not. */
export const requestedEndpoint: Reader<Partial<EndpointSettings>> = record(
  Object.fromEntries(
    Object.entries(endpointFields).map(([name, read]) => [name, optional(read as Reader<unknown>)]),
  ) as Fields<Partial<EndpointSettings>>,
);
