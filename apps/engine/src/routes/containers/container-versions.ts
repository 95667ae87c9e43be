import type { ContainerInspectResponse, ContainerSummary } from "@longshore/docker-api";
import type { Container } from "@longshore/containers";
import type { FastifyRequest } from "fastify";
import { speaks } from "../../server/request.ts";

/** A list's entry as the API version of the request knows it. */
export function summaryFor(request: FastifyRequest, summary: ContainerSummary): ContainerSummary {
  const { ImageManifestDescriptor, HostConfig, ...older } = summary;
  const { Annotations, ...hostConfig } = HostConfig ?? {};
  return {
    ...older,
    ...(ImageManifestDescriptor !== undefined && speaks(request, "containerManifestDescriptor")
      ? { ImageManifestDescriptor }
      : {}),
    HostConfig: {
      ...hostConfig,
      ...(Annotations !== undefined && speaks(request, "containerListAnnotations") ? { Annotations } : {}),
    },
  };
}

const predefined = ["bridge", "host", "none", "default"];

/** Older versions show names that the network's DNS answers to among the aliases. */
function withImpliedAliases(
  networks: ContainerInspectResponse["NetworkSettings"]["Networks"],
  { id, record }: Container,
): typeof networks {
  const implied = [id.slice(0, 12), record.Config.Hostname];
  const shown = Object.entries(networks).map(([name, endpoint]) =>
    predefined.includes(name) || name.startsWith("container:")
      ? [name, endpoint]
      : [name, { ...endpoint, Aliases: [...new Set([...(endpoint.Aliases ?? []), ...implied])] }],
  );
  return Object.fromEntries(shown);
}

/** A container as the API version of the request knows it. */
export function inspectFor(
  request: FastifyRequest,
  container: Container,
  shown: ContainerInspectResponse,
): ContainerInspectResponse {
  const { ImageManifestDescriptor, NetworkSettings, ...older } = shown;
  return {
    ...older,
    NetworkSettings: speaks(request, "inspectGivenAliases")
      ? NetworkSettings
      : { ...NetworkSettings, Networks: withImpliedAliases(NetworkSettings.Networks, container) },
    ...(ImageManifestDescriptor !== undefined && speaks(request, "containerManifestDescriptor")
      ? { ImageManifestDescriptor }
      : {}),
  };
}
