import { Conflict, InvalidArgument, NotFound, PermissionDenied } from "@longshore/errdefs";
import type { NetworkCreateOptions } from "../contract.ts";
import { validateIPAMConfig } from "../ipam/config.ts";
import type { NetworkRecord, Records } from "../records/records.ts";
import { newId, now } from "../records/new-id.ts";
import { hasPluginDriver, noIpam } from "../remote/remote-networks.ts";

export const predefined: readonly string[] = ["bridge", "host", "none"];
const noSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

function checkConfigOnly({ ConfigFrom, Ingress, Internal, Attachable, Scope }: NetworkCreateOptions): void {
  if (ConfigFrom) throw new PermissionDenied("a configuration network cannot depend on another configuration network");
  if (Ingress === true || Internal === true || Attachable === true || (Scope ?? "") !== "") {
    throw new PermissionDenied(
      "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.",
    );
  }
}

/** What can be seen as wrong before anything is made. @param others the networks that there are. @throws with Docker's messages */
function checkCreate(others: readonly NetworkRecord[], options: NetworkCreateOptions): void {
  const { Name: name, Driver: driver = "bridge" } = options;
  if (name.trim() === "") throw new InvalidArgument("invalid name: name is empty");
  if (predefined.includes(name) || name === "default")
    throw new PermissionDenied(`operation is not permitted on predefined ${name} network `);
  validateIPAMConfig(options.IPAM?.Config ?? [], options.EnableIPv6 === true);
  if (others.some((other) => other.name === name)) throw new Conflict(`network with name ${name} already exists`);
  if (options.Ingress === true) throw new PermissionDenied("Ingress network can only be global scope network");
  if (options.Scope === "swarm")
    throw new PermissionDenied("cannot create a swarm scoped network when swarm is not active");
  if (driver === "overlay") throw new PermissionDenied(noSwarm);
  if (driver === "host" || driver === "null")
    throw new PermissionDenied(`only one instance of "${driver}" network is allowed`);
  if (options.ConfigOnly === true) checkConfigOnly(options);
  if (options.IPAM?.Driver === noIpam) {
    // The engine's own network drivers can do nothing without addresses.
    if (driver === "" || !hasPluginDriver({ driver })) throw new InvalidArgument("ipv4 pool is empty");
    if ((options.IPAM.Config ?? []).length > 0)
      throw new InvalidArgument("null ipam driver does not handle specific address pool requests");
  }
  if (options.EnableIPv4 === false && options.EnableIPv6 !== true)
    throw new InvalidArgument("IPv4 or IPv6 must be enabled");
}

const filled = (map: object | null | undefined) => Object.keys(map ?? {}).length > 0;

/** What a network has from its configuration network. @throws PermissionDenied when it brings such things itself, NotFound */
function withConfigFrom(records: Records, options: NetworkCreateOptions): NetworkCreateOptions {
  const from = options.ConfigFrom ?? "";
  if (from === "") return options;
  const source = [...records.networks.values()].find(
    ({ name, id, configOnly }) => configOnly && (name === from || id === from),
  );
  if (!source) throw new NotFound(`configuration network "${from}" does not exist`);
  const { IPAM } = options;
  if (
    filled(IPAM?.Config) ||
    filled(IPAM?.Options) ||
    filled(options.Labels) ||
    options.EnableIPv6 === true ||
    options.EnableIPv4 === false
  ) {
    throw new PermissionDenied(
      "user specified configurations are not supported if the network depends on a configuration network",
    );
  }
  if (filled(options.Options))
    throw new PermissionDenied(
      "network driver options are not supported if the network depends on a configuration network",
    );
  const { ipam, options: driverOptions, labels, enableIPv4, enableIPv6 } = source;
  return {
    ...options,
    IPAM: ipam,
    Options: driverOptions,
    Labels: labels,
    EnableIPv4: enableIPv4,
    EnableIPv6: enableIPv6,
  };
}

/** What a network is to be, with nothing made yet. @param others the networks that there are. @throws with Docker's messages for what cannot be */
export function planNetwork(
  records: Records,
  others: readonly NetworkRecord[],
  given: NetworkCreateOptions,
): NetworkRecord {
  checkCreate(others, given);
  const options = withConfigFrom(records, given);
  const configOnly = options.ConfigOnly === true;
  const configs = options.IPAM?.Config ?? [];
  const driver = configOnly ? "null" : options.Driver || "bridge";
  return {
    id: newId(),
    name: options.Name,
    created: now(),
    driver,
    // A plugin says itself what its networks' scope is.
    scope: options.Scope || (hasPluginDriver({ driver }) ? "" : "local"),
    enableIPv4: options.EnableIPv4 ?? true,
    enableIPv6: options.EnableIPv6 ?? false,
    ipam: {
      Driver: options.IPAM?.Driver || "default",
      Options: options.IPAM?.Options ?? null,
      Config: configs.length > 0 ? configs : null,
    },
    internal: options.Internal ?? false,
    attachable: options.Attachable ?? false,
    ingress: false,
    configOnly,
    configFrom: options.ConfigFrom ?? "",
    options: options.Options ?? {},
    labels: options.Labels ?? {},
    subnets: [],
    userSubnets: configs.map(({ Subnet }) => Subnet ?? ""),
    bridge: "",
    ownsBridge: false,
    ownAddresses: [],
  };
}
