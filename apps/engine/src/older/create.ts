import type { HostConfigRequest, Mount } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { migrateMacAddress, migrateSysctls, type NetworkRequest } from "./network-options.ts";
import type { Speaks } from "./speaks.ts";

/** A create request as the newest API version would ask for the same. */
export interface CreateRequest extends NetworkRequest {
  /** Kernel memory went with API 1.42, and is no member of today's configuration. */
  hostConfig: HostConfigRequest;
}

/** Members that older versions did not know are dropped, as they were not read; defaults of their time are filled in. */
function adaptHostConfig(hostConfig: CreateRequest["hostConfig"], speaks: Speaks, cgroupVersion: 1 | 2): void {
  if (!speaks("createAutoRemove")) hostConfig.AutoRemove = false;
  if (!speaks("createKernelMemoryTcp")) delete hostConfig.KernelMemoryTCP;
  if (!speaks("createIpcDefault")) hostConfig.IpcMode ||= "shareable";
  if (!speaks("createCgroupnsDefault") && cgroupVersion === 1) hostConfig.CgroupnsMode ||= "host";
  if (!speaks("createConsoleSize")) hostConfig.ConsoleSize = [0, 0];
  if (speaks("withoutKernelMemory")) delete hostConfig.KernelMemory;
  if (!speaks("createAnnotations")) delete hostConfig.Annotations;
}

/** The mount type that each kind of options is for, in the order in which Docker looks. */
const ownersOfOptions = [
  ["VolumeOptions", "volume"],
  ["BindOptions", "bind"],
  ["TmpfsOptions", "tmpfs"],
] as const;

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** @throws InvalidArgument for what came later and cannot be left out in silence */
function adaptMount(mount: Mount, speaks: Speaks): void {
  const { BindOptions } = mount;
  if (BindOptions) {
    if (!speaks("createNonRecursiveBind")) delete BindOptions.NonRecursive;
    if (!speaks("createBindMountpoint")) delete BindOptions.CreateMountpoint;
  }
  const type = mount.Type ?? "";
  for (const [options, owner] of ownersOfOptions) {
    if (!isGiven(mount[options]) || type === owner) continue;
    if (speaks("createMountOptionsChecked"))
      throw new InvalidArgument(`${options} must not be specified on mount type "${type}"`);
  }
  if (!speaks("createRecursiveReadOnly") && type === "bind" && BindOptions?.ReadOnlyForceRecursive === true) {
    throw new InvalidArgument("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer");
  }
  if (!speaks("createVolumeSubpath") && mount.VolumeOptions?.Subpath)
    throw new InvalidArgument("VolumeOptions.Subpath needs API v1.45 or newer");
  if (!speaks("createImageMounts") && type === "image")
    throw new InvalidArgument('Mount type "Image" needs API v1.48 or newer');
}

/** @throws InvalidArgument when an older client asks for several endpoints */
function adaptEndpoints(endpoints: CreateRequest["endpoints"], speaks: Speaks): void {
  const names = Object.keys(endpoints);
  if (!speaks("createEndpoints") && names.length > 1) {
    throw new InvalidArgument(`Container cannot be created with multiple network endpoints: ${names.join(", ")}`);
  }
  if (!speaks("createGatewayPriority"))
    for (const endpoint of Object.values(endpoints)) if (endpoint) endpoint.GwPriority = 0;
}

function warnOfVolumeDriver({ VolumeDriver, Mounts }: HostConfigRequest, speaks: Speaks): string[] {
  if (!VolumeDriver || !speaks("createVolumeDriverWarning")) return [];
  const ignored = (Mounts ?? []).some(
    ({ Type, VolumeOptions }) => Type === "volume" && !VolumeOptions?.DriverConfig?.Name,
  );
  return ignored
    ? [
        "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead",
      ]
    : [];
}

/** `default` is a name that every platform has for the network that containers get unless they say otherwise. */
function nameDefaultNetwork({ hostConfig, endpoints }: CreateRequest): void {
  if (!["", "default"].includes(hostConfig.NetworkMode ?? "")) return;
  hostConfig.NetworkMode = "bridge";
  if (!Object.hasOwn(endpoints, "default")) return;
  endpoints["bridge"] = endpoints["default"] ?? null;
  delete endpoints["default"];
}

/**
 * Changes a create request of any API version to what the newest would say.
 * @returns warnings
 * @throws InvalidArgument, Unknown with Docker's messages
 */
export function adaptCreate(request: CreateRequest, speaks: Speaks, cgroupVersion: 1 | 2): string[] {
  const { config, hostConfig, endpoints } = request;
  nameDefaultNetwork(request);
  adaptHostConfig(hostConfig, speaks, cgroupVersion);
  if (!speaks("createStartInterval") && config.Healthcheck) delete config.Healthcheck.StartInterval;
  for (const mount of hostConfig.Mounts ?? []) adaptMount(mount, speaks);
  adaptEndpoints(endpoints, speaks);
  return [
    ...warnOfVolumeDriver(hostConfig, speaks),
    ...migrateMacAddress(request, speaks),
    ...migrateSysctls(request, speaks),
  ];
}
