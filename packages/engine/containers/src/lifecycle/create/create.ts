import { hostname } from "node:os";
import { join } from "node:path";
import { Pace } from "@longshore/concurrency";
import type { ContainerConfig, ContainerCreateResponse, HostConfig } from "@longshore/docker-api";
import {
  adaptContainerSettings,
  checkCreateRequest,
  containerOf,
  parseSecurityOptions,
  verifyContainerSettings,
} from "@longshore/docker-spec";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { completeHostConfig } from "../../config/host-config.ts";
import { commandOf, completeConfig, mergeImageConfig } from "../../config/merge-config.ts";
import { isPluginDriver } from "../../logging/log-options.ts";
import { Container } from "../../model/container.ts";
import type { Context } from "../../model/context.ts";
import { checkName, generateName, newContainerId } from "../../model/names.ts";
import { resolveLinks } from "../../networking/links.ts";
import { buildContainer } from "./build.ts";
import { checkEndpoint, endpointRequests } from "./endpoints.ts";
import { newRecord } from "./new-record.ts";
import type { CreateRequest } from "./request.ts";

/**
 * Creates a container: its records here and in containerd, its file system, its volumes.
 * @throws InvalidArgument, NotFound, Conflict with Docker's messages; nothing is left behind then.
 */
export async function createContainer(context: Context, request: CreateRequest): Promise<ContainerCreateResponse> {
  if (request.config === undefined || Object.keys(request.config).length === 0) {
    throw new InvalidArgument("config cannot be empty in order to create a container");
  }
  // Each of the steps looks at the whole configuration, which may be large.
  const pace = new Pace();
  const config = completeConfig(request.config);
  const name = request.name === "" ? undefined : checkName(request.name);
  const hostConfig = completeHostConfig(context, request.hostConfig);
  if (isPluginDriver(hostConfig.LogConfig.Type)) await context.logFeeds.check(hostConfig.LogConfig.Type);
  const { host, settings } = context;
  await pace.pause();
  checkCreateRequest(config, hostConfig, host.sysInfo);
  const warnings = await verifyContainerSettings({ config, hostConfig, host, settings: settings.engine });
  adaptContainerSettings(hostConfig, host, settings.engine);
  nameDonorsById(context, hostConfig);
  const image = config.Image === "" ? undefined : await context.images.resolve(config.Image, request.platform);
  await pace.pause();
  if (image === undefined) config.Volumes ??= {};
  else mergeImageConfig(config, image.config);
  const [path, ...args] = commandOf(config);
  const id = newContainerId();
  const finalName = name ?? generateName((taken) => context.store.isTaken(taken));
  context.store.reserve(finalName, id);
  try {
    const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], settings.engine.noNewPrivileges);
    resolveLinks(context, hostConfig);
    completeHostname(config, hostConfig, id);
    const endpoints =
      config.NetworkDisabled === true ? {} : endpointRequests(context, hostConfig, request.endpoints, config);
    for (const [network, settings] of Object.entries(endpoints)) checkEndpoint(context, network, settings);
    const record = newRecord(context, {
      id,
      name: finalName,
      path,
      args,
      config,
      hostConfig,
      image,
      endpoints,
      security,
    });
    const container = new Container(
      record,
      hostConfig,
      join(context.settings.dataRoot, "containers", id),
      context.space,
    );
    container.mayHaveTask = false;
    await buildContainer(context, container, image, request.readOnlyNonRecursive === true);
  } catch (error) {
    context.store.release(finalName, id);
    throw error;
  }
  return { Id: id, Warnings: warnings };
}

/**
 * Says whose namespaces are shared by ID, since names change. A network's donor may be missing until the start.
 * @throws InvalidArgument when another one is
 */
function nameDonorsById(context: Context, hostConfig: HostConfig): void {
  for (const mode of ["PidMode", "IpcMode", "NetworkMode"] as const) {
    const donor = containerOf(hostConfig[mode]);
    if (!donor) continue;
    try {
      hostConfig[mode] = `container:${context.store.get(donor).id}`;
    } catch (error) {
      if (mode !== "NetworkMode") throw new InvalidArgument(messageOf(error), { cause: error });
    }
  }
}

function completeHostname(config: ContainerConfig, hostConfig: HostConfig, id: string): void {
  // With the host's UTS namespace alone a container's files still have a name of their own.
  if (config.Hostname === "") config.Hostname = hostConfig.NetworkMode === "host" ? hostname() : id.slice(0, 12);
}
