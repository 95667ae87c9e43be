import { join } from "node:path";
import type { ContainerConfig, EndpointSettings, HostConfig } from "@longshore/docker-api";
import type { SecurityOptions } from "@longshore/docker-spec";
import type { ResolvedImage } from "@longshore/images";
import { hostPlatform } from "@longshore/oci";
import type { Context } from "../../model/context.ts";
import { type ContainerRecord, newState } from "../../model/record.ts";
import { now } from "../../model/time.ts";
import { showRequested } from "../../networking/network-sandbox.ts";
import { logPathOf } from "../../records/load.ts";

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

/** The record of a container that is being made. */
export function newRecord(context: Context, parts: RecordParts): ContainerRecord {
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
