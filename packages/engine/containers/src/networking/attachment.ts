import type { EndpointSettings } from "@longshore/docker-api";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { showRequested } from "./network-sandbox.ts";
import { InvalidArgument, NotFound, PermissionDenied, Unknown } from "@longshore/errdefs";
import type { Networks, NetworksBackend } from "@longshore/networks";

/** What attaching works with. */
interface Attaching {
  containers: Context;
  networks: Networks;
}

function findContainer({ containers }: Attaching, nameOrId: string): Container {
  if (nameOrId === "") throw new InvalidArgument('invalid name or ID supplied: ""');
  return containers.store.get(nameOrId);
}

/** The keys (names or ids) under which a container asked for this network. */
function keysOf({ networks }: Attaching, container: Container, id: string): string[] {
  return Object.keys(container.record.EndpointRequests).filter((key) => {
    try {
      return networks.get(key).Id === id;
    } catch {
      // A network that is gone meanwhile is not this one.
      return false;
    }
  });
}

function checkModes(container: Container, network: string): void {
  const joined = Object.keys(container.record.NetworkSettings.Networks);
  const mode = container.hostConfig.NetworkMode;
  if (mode === "host" || mode.startsWith("container:")) {
    throw new InvalidArgument(
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (network === "host")
    throw new InvalidArgument(
      "cannot connect container to host network - container must be created in host network mode",
    );
  if (network === "none" && joined.includes("none") && container.alive)
    throw new PermissionDenied(`endpoint with name ${container.name} already exists in network none`);
  if (joined.includes("none") || (network === "none" && joined.length > 0)) {
    throw new InvalidArgument(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
}

/** Connects a container to one more network: at once when it runs, else from its next start on. @throws with Docker's messages */
async function connectContainer(
  to: Attaching,
  network: string,
  nameOrId: string,
  settings: Partial<EndpointSettings>,
): Promise<void> {
  const container = findContainer(to, nameOrId);
  await container.lock.run(async () => {
    const { record } = container;
    const { Id: id, Name: name } = to.networks.get(network);
    checkModes(container, name);
    to.networks.validateEndpoint(id, settings);
    if (container.alive) {
      const sandbox = await to.containers.network.connect(container.id, id, settings);
      record.NetworkSettings.Networks = sandbox.networks;
      record.NetworkSettings.Ports = sandbox.ports;
    } else if (keysOf(to, container, id).length > 0) return;
    else {
      const names = to.networks.dnsNames(
        id,
        { containerId: container.id, containerName: container.name, hostname: record.Config.Hostname },
        settings.Aliases ?? [],
      );
      Object.assign(record.NetworkSettings.Networks, showRequested({ [name]: { ...settings, DNSNames: names } }));
    }
    for (const key of keysOf(to, container, id)) delete record.EndpointRequests[key];
    record.EndpointRequests[name] = settings;
    await container.save();
  });
}

/** Takes a container out of a network. @throws with Docker's messages */
async function disconnectContainer(from: Attaching, network: string, nameOrId: string, force: boolean): Promise<void> {
  let container: Container;
  try {
    container = findContainer(from, nameOrId);
  } catch (error) {
    if (!force) throw error;
    from.networks.get(network);
    throw new NotFound(`endpoint ${nameOrId} not found`, { cause: error });
  }
  const { Id: id, Name: name } = from.networks.get(network);
  await container.lock.run(async () => {
    const { record } = container;
    if (container.alive && name === "host" && container.hostConfig.NetworkMode === "host") {
      throw new InvalidArgument(
        "cannot disconnect container from host network - container was created in host network mode",
      );
    }
    const keys = keysOf(from, container, id);
    if (container.alive && container.hostConfig.NetworkMode.startsWith("container:"))
      throw new Unknown(`container ${container.id} is not connected to network ${name}`);
    if (container.alive) {
      const sandbox = await from.containers.network.disconnect(container.id, id);
      record.NetworkSettings.Networks = sandbox.networks;
      record.NetworkSettings.Ports = sandbox.ports;
    } else {
      if (keys.length === 0) throw new Unknown(`container ${container.id} is not connected to the network ${name}`);
      delete record.NetworkSettings.Networks[name];
    }
    for (const key of keys) {
      delete record.EndpointRequests[key];
      if (!container.alive) delete record.NetworkSettings.Networks[key];
    }
    await container.save();
  });
}

/** What the routes of networks do with containers. */
export function attachingBackend(
  containers: Context,
  networks: Networks,
): Pick<NetworksBackend, "connect" | "disconnect"> {
  const attaching = { containers, networks };
  return {
    connect: (network, container, settings) => connectContainer(attaching, network, container, settings),
    disconnect: (network, container, force) => disconnectContainer(attaching, network, container, force),
  };
}
