import type { EmitEvent, EndpointSettings, Network } from "@longshore/docker-api";
import { Exclusive } from "@longshore/concurrency";
import { acceptsLabels, type Filters } from "@longshore/list-filters";
import { filterInSlices } from "@longshore/patterns";
import type { NetworkCreateOptions, Networks } from "./contract.ts";
import { networkFilter } from "./network/list-filter.ts";

/** What the routes of networks do: the networks themselves, with events of it. */
export interface NetworksBackend extends Pick<Networks, "create" | "inspect" | "remove"> {
  /** @param filters `dangling`, `driver`, `id`, `label`, `name`, `scope`, `type` @throws InvalidArgument, Unknown with Docker's texts */
  list(filters: Filters): Promise<Network[]>;
  /**
   * Removes unused networks, and answers them.
   * @param filters `label`, `label!`
   * @param before only those that were made before then, in milliseconds of the Unix epoch
   * @throws Conflict while another prune is under way
   */
  prune(filters: Filters, before: number | undefined): Promise<Network[]>;
  /** Connects a container to one more network: at once when it runs, else from its next start on. @throws with Docker's messages */
  connect(network: string, container: string, settings: Partial<EndpointSettings>): Promise<void>;
  /** Takes a container out of a network. @param force a container that is gone, too @throws with Docker's messages */
  disconnect(network: string, container: string, force: boolean): Promise<void>;
}

/** @param attaching what containers do when they are connected */
export function networksBackend(
  networks: Networks,
  emit: EmitEvent,
  attaching: Pick<NetworksBackend, "connect" | "disconnect">,
): NetworksBackend {
  const prunes = new Exclusive("a prune operation");
  const tell = (action: string, { Id, Name, Driver }: Network): void =>
    emit("network", action, { ID: Id, Attributes: { name: Name, type: Driver } });
  return {
    ...attaching,
    inspect: (idOrName) => networks.inspect(idOrName),
    list: async (filters) => filterInSlices(networks.list(), networkFilter(filters, networks)),
    async create(options: NetworkCreateOptions) {
      const id = await networks.create(options);
      tell("create", networks.get(id));
      return id;
    },
    async remove(idOrName) {
      const network = networks.get(idOrName);
      await networks.remove(network.Id);
      tell("destroy", network);
    },
    prune: (filters, before) =>
      prunes.run(async () => {
        const removed = await networks.prune(
          ({ Labels, Created }) =>
            acceptsLabels(filters, Labels) && (before === undefined || Date.parse(Created) < before),
        );
        for (const network of removed) tell("destroy", network);
        emit("network", "prune", { ID: "", Attributes: { reclaimed: "0" } });
        return removed;
      }),
  };
}
