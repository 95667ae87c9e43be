import { type ContainerSummary, type MountPoint, type Port, type PortMap, readPorts } from "@longshore/docker-api";
import { isKind } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { mountPointsOf } from "./inspect.ts";
import { namesByLinks } from "../networking/links.ts";
import { sizesOf } from "./sizes.ts";
import { statusText } from "../model/status-text.ts";
import { parseTime } from "../model/time.ts";

/** One entry per binding; exposed ports without one have no public side. */
export function portsOf(bindings: PortMap | null): Port[] {
  const ports: Port[] = [];
  for (const [key, entries] of Object.entries(bindings ?? {})) {
    for (const { containerPort: PrivatePort, proto: Type } of readPorts([key])) {
      if (entries === null || entries === undefined || entries.length === 0) ports.push({ PrivatePort, Type });
      for (const { HostIp, HostPort } of entries ?? [])
        ports.push({ IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type });
    }
  }
  return ports;
}

/** The command as one line, arguments with spaces in quotes. */
function commandLine(path: string, args: readonly string[]): string {
  return [path, ...args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg))].join(" ");
}

/** The IDs that the names of the containers' images stand for now, each name asked for once. */
async function imageIds(context: Context, containers: readonly Container[]): Promise<Map<string, string | undefined>> {
  const names = new Map(containers.map(({ record }) => [record.Config.Image, record.Image]));
  const found = [...names].map(async ([name, id]) => {
    if (name === "") return [name, id] as const;
    try {
      return [name, await context.images.idOf(name)] as const;
    } catch (error) {
      // While containerd is away, nothing speaks against the name.
      if (isKind(error, "Unavailable")) return [name, id] as const;
      if (isKind(error, "NotFound") || isKind(error, "InvalidArgument")) return [name, undefined] as const;
      throw error;
    }
  });
  return new Map(await Promise.all(found));
}

/** What `GET /containers/json` shows of each container. */
export async function summarize(
  context: Context,
  containers: readonly Container[],
  withSize: boolean,
): Promise<ContainerSummary[]> {
  const ids = await imageIds(context, containers);
  const links = namesByLinks(context);
  const nowMs = Date.now();
  const summaries: ContainerSummary[] = [];
  for (const container of containers) {
    const { record, hostConfig } = container;
    summaries.push({
      Id: record.ID,
      Names: [record.Name, ...(links.get(record.ID) ?? [])],
      // The name that it was created with, or the ID when the name means another image now.
      Image: ids.get(record.Config.Image) === record.Image ? record.Config.Image : record.Image,
      ImageID: record.Image,
      ...(record.ImageManifest === null ? {} : { ImageManifestDescriptor: record.ImageManifest }),
      Command: commandLine(record.Path, record.Args),
      Created: Math.floor(parseTime(record.Created) / 1000),
      Ports: portsOf(record.NetworkSettings.Ports),
      ...(withSize ? await sizesOf(context, container) : {}),
      Labels: record.Config.Labels,
      State: container.status,
      Status: statusText(record.State, nowMs),
      HostConfig: {
        NetworkMode: hostConfig.NetworkMode,
        ...(hostConfig.Annotations === undefined ? {} : { Annotations: hostConfig.Annotations }),
      },
      NetworkSettings: { Networks: record.NetworkSettings.Networks },
      Mounts: mountPointsOf(container) as MountPoint[],
    });
  }
  return summaries;
}
