import { connectLinks, type DefaultRoute, disconnectLink, moveDefaultRoutes } from "../endpoint/attach.ts";
import {
  createEndpoint,
  gatewayEndpoint,
  linkPlan,
  needsGatewayEndpoint,
  routeEndpoint,
} from "../endpoint/endpoint.ts";
import type { NetworkStore } from "../network/networks.ts";
import type { Publisher } from "../ports/publisher.ts";
import type { EndpointRecord, Records, SandboxRecord } from "../records/records.ts";
import type { RemoteEndpoints } from "../remote/remote-endpoints.ts";
import { hasPluginDriver } from "../remote/remote-networks.ts";
import { gatewayFor } from "./subnets.ts";
import type { VethRemover } from "../endpoint/veth-remover.ts";
import { routesByLink } from "../parent/vlan-options.ts";

interface Parts {
  records: Records;
  networks: NetworkStore;
  publisher: Publisher;
  remote: RemoteEndpoints;
  links: VethRemover;
  userlandProxy: boolean;
}

/** The endpoint that a container leaves by, and those of its default routes for IPv4 and IPv6. */
interface WaysOut {
  gateway: EndpointRecord | undefined;
  families: string;
}

/** By which of its networks a container leaves: its default routes lead there, and its published ports. */
export class GatewayEndpoints {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Gives a container an endpoint in the network that leads out; its link is yet to be made. */
  async add(sandbox: SandboxRecord): Promise<EndpointRecord> {
    const { records, networks, remote } = this.#parts;
    const network = await networks.gatewayNetwork();
    return remote.requestAddresses(network, createEndpoint(records, sandbox, network, {}, true));
  }

  /** A running container gets the way out that it needs now, or loses the one that it needs no longer. */
  async #change(sandbox: SandboxRecord): Promise<void> {
    const { records, networks } = this.#parts;
    const present = records.endpointsOf(sandbox.containerId).find(({ service }) => service);
    const needed = needsGatewayEndpoint(records, sandbox.containerId);
    if (needed && !present) {
      const endpoint = await this.add(sandbox);
      await connectLinks(
        [linkPlan(networks.record(endpoint.networkId), endpoint, !this.#parts.userlandProxy) ?? []].flat(),
        sandbox.netnsPath,
        [],
      );
    } else if (!needed && present) await this.detach(sandbox, present);
  }

  /** Where a container's default routes lead, which may be another network for each family. */
  routes(containerId: string): DefaultRoute[] {
    return ([4, 6] as const).flatMap((family) => {
      const way = routeEndpoint(this.#parts.records, containerId, family);
      if (!way) return [];
      const { endpoint, network } = way;
      const gateway = routesByLink(network) ? "" : gatewayFor(network, endpoint, family);
      return gateway === "" && !routesByLink(network) ? [] : [{ family, ifname: endpoint.ifname, gateway }];
    });
  }

  /** Publishes a container's ports where it leaves. @throws with Docker's messages for a port that cannot be had */
  async publish(sandbox: SandboxRecord): Promise<void> {
    const { records, publisher, remote } = this.#parts;
    const gateway = gatewayEndpoint(records, sandbox.containerId);
    const network = gateway && records.networks.get(gateway.networkId);
    if (!gateway || !network) return;
    const six = routeEndpoint(records, sandbox.containerId, 6)?.endpoint.id ?? gateway.id;
    if (hasPluginDriver(network)) await remote.programExternal(sandbox, network, gateway, six !== gateway.id);
    // What lies on a device of the host is reached there.
    else if (network.bridge !== "") await publisher.publish(sandbox, gateway);
  }

  /** Takes an endpoint and its link away while its container runs. */
  async detach(sandbox: SandboxRecord, endpoint: EndpointRecord): Promise<void> {
    const { records, remote, links } = this.#parts;
    await remote.leave(endpoint, sandbox.netnsPath);
    if (endpoint.veth !== "") await links.remove([endpoint.veth]);
    else if (endpoint.ifname !== "") await disconnectLink(sandbox.netnsPath, endpoint.ifname);
    records.dropEndpoint(endpoint.id);
  }

  /** Where a container leaves now; for `move`. */
  leads(containerId: string): WaysOut {
    const { records } = this.#parts;
    const families = ([4, 6] as const).map((family) => routeEndpoint(records, containerId, family)?.endpoint.id ?? "");
    return { gateway: gatewayEndpoint(records, containerId), families: families.join() };
  }

  /** The way out changes with a container's networks, and with it the default routes; published ports follow. */
  async move(sandbox: SandboxRecord, before: WaysOut): Promise<void> {
    const { records, publisher, remote } = this.#parts;
    await this.#change(sandbox);
    await moveDefaultRoutes(sandbox.netnsPath, this.routes(sandbox.containerId));
    const after = this.leads(sandbox.containerId);
    if (after.gateway?.id === before.gateway?.id && after.families === before.families) return;
    if (before.gateway) await remote.revokeExternal(before.gateway);
    await publisher.unpublish(records.sandboxes.get(sandbox.containerId) ?? sandbox);
    await this.publish(records.sandboxes.get(sandbox.containerId) ?? sandbox);
  }
}
