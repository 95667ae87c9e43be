import type { ContainerConfig, EndpointSettings, HostConfig } from "@longshore/docker-api";
import { InvalidArgument, isKind, messageOf } from "@longshore/errdefs";
import type { Context } from "../../model/context.ts";
import type { CreateRequest } from "./request.ts";

/**
 * What a new container asks of its networks, by their names: those that the request names, or its mode's alone when it names none.
 * @throws InvalidArgument for one that it names without saying what
 */
export function endpointRequests(
  context: Context,
  hostConfig: HostConfig,
  given: CreateRequest["endpoints"],
  config: ContainerConfig,
): Record<string, Partial<EndpointSettings>> {
  if (hostConfig.NetworkMode.startsWith("container:")) return {};
  const mode = modeNetwork(context, hostConfig.NetworkMode);
  const requests: Record<string, Partial<EndpointSettings>> = {};
  for (const [network, settings] of Object.entries(given)) {
    if (settings === null) throw new InvalidArgument(`invalid config for network ${network}: EndpointsConfig is nil`);
    const name = network === "default" ? "bridge" : network === mode.id ? mode.name : network;
    if (name !== network && Object.hasOwn(given, name)) continue;
    requests[name] = settings;
  }
  if (Object.keys(requests).length === 0) requests[mode.name] = {};
  const main = requests[mode.name];
  if (main !== undefined && config.MacAddress) main.MacAddress ??= config.MacAddress;
  return requests;
}

/** The network that a mode names, which may be one that is not there yet. */
function modeNetwork(context: Context, mode: string): { id: string; name: string } {
  try {
    const { Id: id, Name: name } = context.networks.get(mode);
    return { id, name };
  } catch (error) {
    if (!isKind(error, "NotFound") && !isKind(error, "InvalidArgument")) throw error;
    return { id: mode, name: mode };
  }
}

/** A network that is not there yet may be there when the container starts. */
export function checkEndpoint(context: Context, network: string, settings: Partial<EndpointSettings>): void {
  try {
    context.networks.validateEndpoint(network, settings);
  } catch (error) {
    if (isKind(error, "NotFound")) return;
    throw new InvalidArgument(`invalid config for network ${network}: ${messageOf(error)}`, { cause: error });
  }
}
