import { type Document, type Infer, int, leftOut, list, map, pointer, struct, text } from "@longshore/go-json";

const ipamConfig = struct("network.EndpointIPAMConfig", {
  IPv4Address: leftOut(text),
  IPv6Address: leftOut(text),
  LinkLocalIPs: leftOut(list(text)),
});

/** What a container, or a network's connect, says of one endpoint; in the order in which Docker writes the members. */
export const endpointSettingsShape = struct("network.EndpointSettings", {
  IPAMConfig: pointer(ipamConfig),
  Links: list(text),
  Aliases: list(text),
  MacAddress: text,
  DriverOpts: map(text),
  GwPriority: int,
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: int,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: int,
  DNSNames: list(text),
});

export type EndpointIPAMConfig = Document<typeof ipamConfig>;
export type EndpointSettings = Document<typeof endpointSettingsShape>;
/** As a body asks for it. */
export type EndpointRequest = Infer<typeof endpointSettingsShape>;
