import type { EndpointSettings, Network, NetworkCreateRequest, PortMap } from "@longshore/docker-api";

/** What a container asks of its network, taken from its configuration at start. */
export interface SandboxRequest {
  containerId: string;
  /** Without the leading slash. */
  containerName: string;
  hostname: string;
  domainname: string;
  /** `bridge` (or `default`), `host`, `none`, `container:<id>` or a network's name or id. */
  networkMode: string;
  /** By network name or id; the one with the highest GwPriority gives the default route, then the smallest name. */
  endpoints: Record<string, Partial<EndpointSettings>>;
  /** `80/tcp` → bindings; an empty HostPort asks for any free port, `8000-8010` for one of these. */
  portBindings: PortMap;
  publishAllPorts: boolean;
  /** `80/tcp` forms. */
  exposedPorts: string[];
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  /** By name; those of IPv6 decide whether the container has it. */
  sysctls?: Readonly<Record<string, string>>;
  /** `name:ip`, `host-gateway` allowed as ip. */
  extraHosts: string[];
  /** Legacy links: running containers whose exposed ports (`80/tcp`) are reached although the network keeps its containers apart. */
  links?: { containerId: string; ports: string[] }[];
  /** The container's directory under the data root, where `hosts`, `hostname` and `resolv.conf` are written. */
  containerDir: string;
}

/** A network namespace that is ready: links, addresses, routes, rules and files are in place. */
export interface Sandbox {
  /** 64 hex digits; empty for `container:`. */
  id: string;
  /**
   * Path of the bound namespace, for the runtime spec. For `host` it is `/proc/1/ns/net`, for
   * `container:<id>` that container's path; then no sandbox of its own exists.
   */
  netnsPath: string;
  /** As `NetworkSettings.Networks` shows it, by network name. */
  networks: Record<string, EndpointSettings>;
  /** As `NetworkSettings.Ports` shows it, chosen host ports filled in, exposed ports without binding null. */
  ports: PortMap;
  /** What of that was asked for. */
  portBindings: PortMap;
}

/**
 * The network side of a container's life. Everything that `allocate` did survives the death of
 * the engine; `release` undoes it and may be called again. `network connect` and `disconnect`
 * events are published here, by each call.
 */
export interface Sandboxes {
  /**
   * The message of an error is complete, Docker's `failed to set up container networking: ` included.
   * @throws NotFound, Conflict, PermissionDenied, Unknown with Docker's messages; nothing is left behind then.
   */
  allocate(request: SandboxRequest): Promise<Sandbox>;
  release(containerId: string): Promise<void>;
  /** After a restart: keeps the sandboxes of `running` (container ids), releases all others. */
  restore(running: ReadonlySet<string>): Promise<void>;
  /** What `allocate` gave, with later changes; undefined without a live sandbox. */
  get(containerId: string): Sandbox | undefined;
  /** Attaches a running container to one more network. @throws PermissionDenied `endpoint with name c already exists in network n` */
  connect(containerId: string, network: string, settings: Partial<EndpointSettings>): Promise<Sandbox>;
  /** Detaches a running container. @throws Unknown `container ID is not connected to network n` */
  disconnect(containerId: string, network: string): Promise<Sandbox>;
  /**
   * Publishes other ports of a running container than before: all that are asked for, or nothing
   * changes. What was asked for already keeps its port, and connections through it go on.
   * @throws NotFound without a live sandbox, Unknown with Docker's messages for a port that cannot be had
   */
  publish(
    containerId: string,
    request: Pick<SandboxRequest, "portBindings" | "publishAllPorts" | "exposedPorts">,
  ): Promise<Sandbox>;
  /** A renamed container: what DNS answers and what inspect of a network shows. @returns what `get` gives now */
  rename(containerId: string, name: string): Promise<Sandbox | undefined>;
}

/** What `POST /networks/create` asks for; `ConfigFrom` is the name of a configuration network. */
export type NetworkCreateOptions = Omit<NetworkCreateRequest, "Name" | "ConfigFrom"> & {
  Name: string;
  ConfigFrom?: string;
};

/** Networks by id and name. */
export interface Networks {
  /** @returns the new network's id */
  create(options: NetworkCreateOptions): Promise<string>;
  /**
   * By full id, name, or unique id prefix; without `Containers`.
   * @throws NotFound `network x not found`, InvalidArgument when several match
   */
  get(idOrName: string): Network;
  /** With `Containers`, the live endpoints. */
  inspect(idOrName: string): Network;
  list(): Network[];
  /** @throws NotFound, PermissionDenied for predefined networks and those with endpoints */
  remove(idOrName: string): Promise<void>;
  /** Removes those unused networks that `matches` accepts, and answers them. */
  prune(matches: (network: Network) => boolean): Promise<Network[]>;
  /** Whether a live endpoint uses the network. */
  inUse(id: string): boolean;
  /**
   * What can be checked of an endpoint when a container is created or connected, before it runs.
   * @throws InvalidArgument `invalid endpoint settings:\n…`; a create prefixes `invalid config for network X: `
   */
  validateEndpoint(network: string, settings: Partial<EndpointSettings>): void;
  /** The names by which others would find a container in a network; null where containers have none. */
  dnsNames(
    network: string,
    container: Pick<SandboxRequest, "containerId" | "containerName" | "hostname">,
    aliases: readonly string[],
  ): string[] | null;
}
