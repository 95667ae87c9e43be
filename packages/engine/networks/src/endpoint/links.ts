import { parseBridgeOptions } from "../bridge/bridge-options.ts";
import { readPorts } from "@longshore/docker-api";
import type { LinkRule } from "../firewall/table.ts";
import type { Family } from "@longshore/ip";
import type { Records, SandboxRecord } from "../records/records.ts";

/**
 * What legacy links open between a container and those it is linked to, in networks whose containers
 * do not reach each other otherwise. Links know IPv4 only.
 */
export function linkRules(records: Records, { containerId, links }: SandboxRecord, family: Family): LinkRule[] {
  if (family === 6) return [];
  return (links ?? []).flatMap(({ containerId: other, ports }) =>
    records.endpointsOf(containerId).flatMap(({ networkId, ipv4: from }) => {
      const network = records.networks.get(networkId);
      const target = records.endpointsOf(other).find((endpoint) => endpoint.networkId === networkId);
      if (
        !target ||
        from === "" ||
        target.ipv4 === "" ||
        !network ||
        network.bridge === "" ||
        parseBridgeOptions(network).icc
      )
        return [];
      return readPorts(ports).map((port) => ({ from, containerIp: target.ipv4, ...port }));
    }),
  );
}

/** Whether rules are about links of this container, or to it. */
export function isLinked(records: Records, containerId: string): boolean {
  return [...records.sandboxes.values()].some(
    (sandbox) =>
      (sandbox.containerId === containerId || (sandbox.links ?? []).some((link) => link.containerId === containerId)) &&
      linkRules(records, sandbox, 4).length > 0,
  );
}
