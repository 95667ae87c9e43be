import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type {
  ContainerConfig,
  ContainerCreateResponse,
  EndpointSettings,
  HostConfig,
  HostConfigRequest,
} from "@longshore/docker-api";
import type { StagedFiles } from "@longshore/atomicfile";
import { Pace } from "@longshore/concurrency";
import { InvalidArgument, isKind, messageOf, NotFound } from "@longshore/errdefs";
import type { ResolvedImage } from "@longshore/images";
import { hostPlatform, type Platform } from "@longshore/oci";
import {
  adaptContainerSettings,
  checkCreateRequest,
  containerOf,
  type MountRecord,
  parseMountPoints,
  parseSecurityOptions,
  type SecurityOptions,
  verifyContainerSettings,
} from "@longshore/docker-spec";
import { removeTree } from "@longshore/sys";
import { currentSpan, span } from "@longshore/telemetry";
import { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { copyImageContent } from "../../rootfs/copy-up.ts";
import { createViews, findMountedImages, removeViews, viewLabels } from "../../rootfs/image-mounts.ts";
import { completeHostConfig } from "../../config/host-config.ts";
import { isPluginDriver } from "../../logging/log-options.ts";
import { ensureInitLayer, initLayerName } from "../../rootfs/init-layer.ts";
import { resolveLinks } from "../../networking/links.ts";
import { commandOf, completeConfig, mergeImageConfig } from "../../config/merge-config.ts";
import { checkName, generateName, newContainerId } from "../../model/names.ts";
import { showRequested } from "../../networking/network-sandbox.ts";
import { type ContainerRecord, newState } from "../../model/record.ts";
import { stageContainer } from "../../model/record-files.ts";
import { checkReadable } from "../../records/load.ts";
import { logPathOf } from "../../records/load.ts";
import { removeRuntime } from "../remove/remove.ts";
import { runtimeOf } from "../../config/runtimes.ts";
import { attempt, jsonAny, specType } from "../task.ts";
import { now } from "../../model/time.ts";
import { makeWorkingDirectory } from "../../rootfs/working-directory.ts";
import { refuseStorageOptions } from "../../config/unserved.ts";

export interface CreateRequest {
  /** Empty: one is made up. */
  name: string;
  platform: Platform | undefined;
  config: Partial<ContainerConfig> | undefined;
  hostConfig: HostConfigRequest;
  endpoints: Record<string, Partial<EndpointSettings> | null>;
  /** Read-only binds leave what is mounted below them as it is: so older clients expect it. */
  readOnlyNonRecursive?: boolean;
}

/** Marks containerd's records as ours, to find those whose container never came to be. */
export const ownerLabel = "longshore.engine";

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
    await build(context, container, image, request.readOnlyNonRecursive === true);
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

/**
 * What a new container asks of its networks, by their names: those that the request names, or its mode's alone when it names none.
 * @throws InvalidArgument for one that it names without saying what
 */
function endpointRequests(
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
function checkEndpoint(context: Context, network: string, settings: Partial<EndpointSettings>): void {
  try {
    context.networks.validateEndpoint(network, settings);
  } catch (error) {
    if (isKind(error, "NotFound")) return;
    throw new InvalidArgument(`invalid config for network ${network}: ${messageOf(error)}`, { cause: error });
  }
}

interface RecordParts {
  id: string;
  name: string;
  path: string;
  args: string[];
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** None for a container whose file system begins empty. */
  image: ResolvedImage | undefined;
  endpoints: Record<string, Partial<EndpointSettings>>;
  security: SecurityOptions;
}

function newRecord(context: Context, parts: RecordParts): ContainerRecord {
  const { id, image } = parts;
  const platform = image?.platform ?? hostPlatform();
  const dir = join(context.settings.dataRoot, "containers", id);
  return {
    State: newState(),
    ID: id,
    Created: now(),
    Path: parts.path,
    Args: parts.args,
    Config: parts.config,
    Image: image?.id ?? "",
    ImageManifest:
      image === undefined ? null : { ...image.manifest, platform: image.manifest.platform ?? image.platform },
    ImagePlatform: platform,
    NetworkSettings: { Bridge: "", SandboxID: "", SandboxKey: "", Networks: showRequested(parts.endpoints), Ports: {} },
    EndpointRequests: parts.endpoints,
    LogPath: logPathOf(dir, parts.hostConfig.LogConfig.Type),
    Name: `/${parts.name}`,
    Driver: context.settings.snapshotter,
    OS: platform.os,
    RestartCount: 0,
    HasBeenStartedBefore: false,
    HasBeenManuallyStopped: false,
    MountPoints: {},
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: parts.security.apparmorProfile,
    SeccompProfile: parts.security.seccompProfile,
    NoNewPrivileges: parts.security.noNewPrivileges,
    HostnamePath: "",
    HostsPath: "",
    ResolvConfPath: "",
    ShmPath: "",
  };
}

async function build(
  context: Context,
  container: Container,
  image: ResolvedImage | undefined,
  readOnlyNonRecursive: boolean,
): Promise<void> {
  const { settings, containerd } = context;
  const { shim, options } = runtimeOf(context, container.hostConfig.Runtime);
  refuseStorageOptions(container.hostConfig);
  await using undo = new AsyncDisposableStack();
  const mounts = await mountPoints(context, container, readOnlyNonRecursive);
  const images = await findMountedImages(context, container.id, mounts);
  await mkdir(container.dir, { recursive: true, mode: 0o710 });
  undo.defer(() => attempt(context, "removing a container directory", () => removeTree(container.dir)));
  if (container.hostConfig.LogConfig.Type === "local") await mkdir(container.file("local-logs"), { mode: 0o700 });
  undo.defer(() =>
    attempt(context, "removing containerd's records", () => removeRuntime(context, container.id, false)),
  );
  // What is known now is brought to the disk while containerd works; volumes get their names later.
  const staged = mounts.length > 0 ? undefined : stage(container);
  // It may fail before anybody waits for it.
  staged?.catch(() => undefined);
  undo.defer(() => attempt(context, "writing a container's record", async () => void (await staged)));
  // The record first: it keeps the snapshot from being collected.
  await span("container record", () =>
    containerd.containers.create({
      container: {
        id: container.id,
        image: image?.name ?? "",
        labels: { [ownerLabel]: settings.dataRoot, ...viewLabels(context, container.id, images) },
        runtime: { name: shim, ...(options === undefined ? {} : { options }) },
        spec: jsonAny(specType, { ociVersion: "1.2.0" }),
        snapshotter: settings.snapshotter,
        snapshotKey: container.id,
      },
    }),
  );
  await span("snapshot prepare", () => prepareRoot(context, container.id, image));
  await makeWorkingDirectory(context, container, image?.chainId ?? "");
  undo.defer(() => attempt(context, "removing views of images", () => removeViews(context, container.id, mounts)));
  await createViews(context, container.id, images);
  await createVolumes(context, container, mounts, undo);
  await (await (staged ?? stage(container))).publish();
  container.trace = currentSpan();
  context.store.add(container);
  undo.move();
  emitContainer(context, container, "create");
}

async function stage(container: Container): Promise<StagedFiles> {
  const pace = new Pace();
  await checkReadable(container.record, container.hostConfig, pace);
  return stageContainer(container.dir, container, pace);
}

/** Nearly always the shared layer is there. Else it is made, and once more should the collector take it before it is built on. */
async function prepareRoot(context: Context, id: string, image: ResolvedImage | undefined): Promise<void> {
  const chainId = image?.chainId ?? "";
  const prepare = async (parent: string): Promise<boolean> => {
    try {
      await context.containerd.snapshots.prepare({ snapshotter: context.settings.snapshotter, key: id, parent });
      return true;
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
      return false;
    }
  };
  if (await prepare(initLayerName(chainId))) return;
  if (image !== undefined) await context.images.unpack(image);
  for (let tries = 0; tries < 2; tries++) if (await prepare(await ensureInitLayer(context, chainId))) return;
  throw new NotFound(`parent snapshot ${initLayerName(chainId)} does not exist: not found`);
}

async function mountPoints(
  context: Context,
  container: Container,
  readOnlyNonRecursive: boolean,
): Promise<MountRecord[]> {
  return await parseMountPoints({
    config: container.record.Config,
    hostConfig: container.hostConfig,
    dataRoot: context.settings.dataRoot,
    readOnlyNonRecursive,
    mountPointsOf: async (name) => {
      if (name === "") throw new InvalidArgument('invalid name or ID supplied: ""');
      return Object.values(findNamed(context, name).record.MountPoints);
    },
  });
}

/** A container that a request names. A wrong name is the request's fault: Docker answers 400, not 404. */
function findNamed(context: Context, name: string): Container {
  try {
    return context.store.get(name);
  } catch (error) {
    throw new InvalidArgument(messageOf(error), { cause: error });
  }
}

/** Makes the volumes that do not exist yet, notes who uses them, and fills new ones from the image. */
async function createVolumes(
  context: Context,
  container: Container,
  mounts: MountRecord[],
  undo: AsyncDisposableStack,
): Promise<void> {
  for (const mount of mounts) {
    if (mount.Type === "volume") {
      const anonymous = mount.Name === "";
      const { DriverConfig, Labels } = mount.Spec.VolumeOptions ?? {};
      const named = DriverConfig?.Name || mount.Driver;
      const volume = await context.volumes.create({
        Name: mount.Name,
        Driver: named,
        DriverOpts: DriverConfig?.Options ?? {},
        ...(Labels ? { Labels } : {}),
      });
      Object.assign(mount, { Name: volume.Name, Driver: volume.Driver, Source: volume.Mountpoint });
      // The mode that volumes have unless one is asked for is the local driver's own.
      if (volume.Driver !== "local" && named === "" && (mount.Relabel ?? "") === "z") mount.Relabel = "";
      context.volumes.reference(volume.Name, container.id);
      undo.defer(async () => {
        context.volumes.dereference(volume.Name, container.id);
        if (anonymous) await attempt(context, "removing a volume", () => context.volumes.remove(volume.Name, true));
      });
    }
    container.record.MountPoints[mount.Destination] = mount;
  }
  await copyImageContent(context, container);
}
