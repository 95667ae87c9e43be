import { canonicalPort, formatPort, type PortMap } from "@longshore/docker-api";
import { gatewayEndpoint } from "../endpoint/endpoint.ts";
import type { Records, SandboxRecord } from "../records/records.ts";

/**
 * What is published of a container, as `NetworkSettings.Ports` shows it: published ports with their bindings, others that it
 * exposes or wants to have published null; nothing where no bridge leads to it.
 */
export function portMap(records: Records, { containerId, portRequest, published }: SandboxRecord): PortMap {
  const gateway = gatewayEndpoint(records, containerId);
  const bridge = gateway === undefined ? undefined : records.networks.get(gateway.networkId)?.bridge;
  if (bridge === undefined || bridge === "") return {};
  const wanted = Object.entries(portRequest.bindings).flatMap(([port, list]) =>
    (list ?? []).length > 0 ? [port] : [],
  );
  const keys = [...new Set([...portRequest.exposed, ...wanted].map(canonicalPort))].sort();
  const shown = (key: string) =>
    published
      .filter((port) => formatPort(port) === key)
      .map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: hostPort === 0 ? "" : String(hostPort) }));
  return Object.fromEntries(keys.map((key) => [key, shown(key).length > 0 ? shown(key) : null]));
}
