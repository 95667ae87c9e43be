import type { Records } from "../records/records.ts";

/** What `host-gateway` stands for: addresses that are configured, or the default bridge's gateways. */
export function hostGateway({
  hostGatewayIps,
  records,
}: {
  hostGatewayIps: readonly string[];
  records: Records;
}): readonly string[] {
  if (hostGatewayIps.length > 0) return hostGatewayIps;
  const bridge = [...records.networks.values()].find(({ name }) => name === "bridge");
  return bridge ? bridge.subnets.map(({ gateway }) => gateway) : [];
}
