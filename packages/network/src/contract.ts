import type { EndpointSettings, PortMap } from "@longshore/api";

/** What a container asks of its network, taken from its configuration at start. */
export interface SandboxRequest {
  containerId: string;
  /** Without the leading slash. */
  containerName: string;
  hostname: string;
  domainname: string;
  /** `bridge`, `host`, `none`, `container:<id>` or a network's name or id. */
  networkMode: string;
  /** By network name or id; with several, the one with the highest GwPriority gives the default route. */
  endpoints: Record<string, Partial<EndpointSettings>>;
  /** `80/tcp` → bindings; an empty HostPort asks for any free port. */
  portBindings: PortMap;
  publishAllPorts: boolean;
  /** `80/tcp` forms. */
  exposedPorts: string[];
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  /** `name:ip`, `host-gateway` allowed as ip. */
  extraHosts: string[];
  /** The container's directory under the data root, where `hosts` and `resolv.conf` are written. */
  containerDir: string;
}

/** A network namespace that is ready: links, addresses, routes, rules and files are in place. */
export interface Sandbox {
  id: string;
  /** Path of the bound namespace (`/proc/1/ns/net` style for host); empty for `container:`. */
  netnsPath: string;
  /** As `NetworkSettings.Networks` shows it, by network name. */
  networks: Record<string, EndpointSettings>;
  /** As `NetworkSettings.Ports` shows it, chosen host ports filled in. */
  ports: PortMap;
}

/**
 * The network side of a container's life. Everything that `allocate` did survives the death of
 * the engine; `release` undoes it and may be called again.
 */
export interface Sandboxes {
  /** @throws NotFound, Conflict, PermissionDenied with Docker's messages; nothing is left behind then. */
  allocate(request: SandboxRequest): Promise<Sandbox>;
  release(containerId: string): Promise<void>;
  /** After a restart: keeps the sandboxes of `running` (container ids), releases all others. */
  restore(running: ReadonlySet<string>): Promise<void>;
}
