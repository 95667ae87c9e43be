import type { EmitEvent } from "@longshore/docker-api";
import type { NetworkRecord } from "../records/records.ts";

/** Who connects to and disconnects from a network, as events name it. */
export function eventActor(network: NetworkRecord, containerId: string): Parameters<EmitEvent>[2] {
  return { ID: network.id, Attributes: { container: containerId, name: network.name, type: network.driver } };
}
