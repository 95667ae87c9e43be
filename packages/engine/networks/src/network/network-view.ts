import type { Network, NetworkContainer } from "@longshore/docker-api";
import { lengthOf } from "../bridge/subnets.ts";
import type { EndpointRecord, NetworkRecord } from "../records/records.ts";

/** Maps as the API writes them: by their keys. */
function sorted(map: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A network as the API shows it. */
export function showNetwork(record: NetworkRecord, containers: Record<string, NetworkContainer>): Network {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.created,
    Scope: record.scope,
    Driver: record.driver,
    EnableIPv4: record.enableIPv4,
    EnableIPv6: record.enableIPv6,
    IPAM: record.ipam,
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: record.ingress,
    ConfigFrom: { Network: record.configFrom },
    ConfigOnly: record.configOnly,
    Containers: containers,
    Options: sorted(record.options),
    Labels: sorted(record.labels),
  };
}

/** A container in a network's `Containers`. */
export function showMember(network: NetworkRecord, endpoint: EndpointRecord, name: string): NetworkContainer {
  const { id, mac, ipv4, ipv6 } = endpoint;
  const withBits = (address: string, family: 4 | 6) =>
    address === "" ? "" : `${address}/${lengthOf(network, endpoint, family)}`;
  return {
    Name: name,
    EndpointID: id,
    MacAddress: mac,
    IPv4Address: withBits(ipv4, 4),
    IPv6Address: withBits(ipv6, 6),
  };
}
