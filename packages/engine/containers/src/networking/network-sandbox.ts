import type { EndpointSettings } from "@longshore/docker-api";
import { Conflict, messageOf, Unknown } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { linkedHosts, linkedPorts } from "./links.ts";
import { portRequest } from "./ports.ts";

/** The paths that a container's network gives to its spec. */
export interface NetworkPaths {
  /** Namespace to join; absent for the host's, and for one that the runtime makes. */
  netns: string | undefined;
  files: { resolvConf?: string; hostname?: string; hosts?: string };
}

/** The running container whose network is shared. @throws Unknown, Conflict with Docker's messages */
function networkDonor(context: Context, container: Container, nameOrId: string): Container {
  const donor = findDonor(context, nameOrId);
  if (donor === container) throw new Unknown("cannot join own network namespace");
  if (!donor.record.State.Running)
    throw new Conflict(
      `cannot join network namespace of a non running container: container ${donor.name} is ${donor.status}`,
    );
  if (donor.record.State.Restarting)
    throw new Conflict(
      `cannot join network namespace of container: Container ${nameOrId} is restarting, wait until the container is running`,
    );
  return donor;
}

/** Not NotFound, which would say that the container to start is missing. */
function findDonor(context: Context, nameOrId: string): Container {
  try {
    return context.store.get(nameOrId);
  } catch (error) {
    throw new Unknown(`joining network namespace of container: ${messageOf(error)}`, { cause: error });
  }
}

/** Allocates the network of a container that starts; its name files are written on the way. */
export async function allocateNetwork(context: Context, container: Container): Promise<NetworkPaths> {
  const { record, hostConfig } = container;
  const mode = hostConfig.NetworkMode;
  if (record.Config.NetworkDisabled === true) return { netns: undefined, files: {} };
  if (mode.startsWith("container:")) {
    const donor = networkDonor(context, container, mode.slice("container:".length));
    record.ResolvConfPath = donor.record.ResolvConfPath;
    record.HostsPath = donor.record.HostsPath;
    record.HostnamePath = donor.record.HostnamePath;
    record.Config.Hostname = donor.record.Config.Hostname;
    record.Config.Domainname = donor.record.Config.Domainname;
    return { netns: `/proc/${donor.record.State.Pid}/ns/net`, files: filesOf(container) };
  }
  const { settings } = context;
  const sandbox = await context.network.allocate({
    containerId: container.id,
    containerName: container.name,
    hostname: record.Config.Hostname,
    domainname: record.Config.Domainname,
    networkMode: mode,
    endpoints: record.EndpointRequests,
    ...portRequest(container),
    dns: orDefault(hostConfig.Dns, settings.dns),
    dnsSearch: orDefault(hostConfig.DnsSearch, settings.dnsSearch),
    dnsOptions: orDefault(hostConfig.DnsOptions, settings.dnsOptions),
    sysctls: hostConfig.Sysctls ?? {},
    extraHosts: [...(hostConfig.ExtraHosts ?? []), ...linkedHosts(context, container)],
    links: linkedPorts(context, container),
    containerDir: container.dir,
  });
  if (mode === "bridge") record.NetworkSettings.Bridge = settings.bridge;
  record.NetworkSettings.SandboxID = sandbox.id;
  record.NetworkSettings.SandboxKey = sandbox.netnsPath;
  const { bridge } = record.EndpointRequests;
  // Without a default bridge (--bridge none) there is nothing to show but what was asked for.
  record.NetworkSettings.Networks = { ...(bridge === undefined ? {} : showRequested({ bridge })), ...sandbox.networks };
  record.NetworkSettings.Ports = sandbox.ports;
  record.HostsPath = container.file("hosts");
  record.ResolvConfPath = container.file("resolv.conf");
  record.HostnamePath = container.file("hostname");
  return { netns: mode === "host" ? undefined : sandbox.netnsPath, files: filesOf(container) };
}

function orDefault(own: string[] | null, fallback: string[]): string[] {
  return own === null || own.length === 0 ? fallback : own;
}

function filesOf(container: Container): NetworkPaths["files"] {
  const { ResolvConfPath, HostnamePath, HostsPath } = container.record;
  return {
    ...(ResolvConfPath === "" ? {} : { resolvConf: ResolvConfPath }),
    ...(HostnamePath === "" ? {} : { hostname: HostnamePath }),
    ...(HostsPath === "" ? {} : { hosts: HostsPath }),
  };
}

/** Gives the network back and forgets the addresses, but keeps what was asked for. */
export async function releaseNetwork(context: Context, container: Container): Promise<void> {
  const { NetworkDisabled } = container.record.Config;
  if (NetworkDisabled === true || container.hostConfig.NetworkMode.startsWith("container:")) return;
  await context.network.release(container.id);
  forgetAddresses(container);
}

/** Notes in the record that the network is given back. */
function forgetAddresses(container: Container): void {
  container.record.NetworkSettings = withoutAddresses(container);
}

/** What the record says of the network of a container that has given it back; another container's is that one's to tell. */
export function withoutAddresses(container: Container): Container["record"]["NetworkSettings"] {
  const { NetworkSettings, EndpointRequests } = container.record;
  if (container.hostConfig.NetworkMode.startsWith("container:")) return NetworkSettings;
  const { Networks: before } = NetworkSettings;
  const Networks = showRequested(EndpointRequests);
  for (const [name, shown] of Object.entries(Networks)) {
    const { NetworkID = "", DNSNames = null } = before[name] ?? {};
    // A client may have sent the addresses of another container along with what it asks for.
    Object.assign(shown, unconnected, { NetworkID, DNSNames });
  }
  return { ...NetworkSettings, SandboxID: "", SandboxKey: "", Ports: {}, Networks };
}

/** Has a running container known by its name of now in its networks, and its record say so. */
export async function adoptName(context: Context, container: Container): Promise<void> {
  const sandbox = await context.network.rename(container.id, container.name);
  const { NetworkSettings } = container.record;
  if (
    !sandbox ||
    container.hostConfig.NetworkMode.startsWith("container:") ||
    JSON.stringify(sandbox.networks) === JSON.stringify(NetworkSettings.Networks)
  )
    return;
  NetworkSettings.Networks = { ...NetworkSettings.Networks, ...sandbox.networks };
  await container.save();
}

/** What `NetworkSettings.Networks` shows of a container that is not connected now. */
export function showRequested(requests: Record<string, Partial<EndpointSettings>>): Record<string, EndpointSettings> {
  return Object.fromEntries(Object.entries(requests).map(([name, request]) => [name, { ...noEndpoint, ...request }]));
}

/** What an endpoint has only while it is connected. */
const unconnected = {
  EndpointID: "",
  Gateway: "",
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
} satisfies Partial<EndpointSettings>;

const noEndpoint: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: "",
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: "",
  ...unconnected,
  DNSNames: null,
};
