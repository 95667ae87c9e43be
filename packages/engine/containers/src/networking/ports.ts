import { canonicalPort, type PortMap } from "@longshore/docker-api";
import { Conflict, InvalidArgument, messageOf, Unknown } from "@longshore/errdefs";
import type { SandboxRequest } from "@longshore/networks";
import { containerOf, verifyContainerSettings } from "@longshore/docker-spec";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { attempt } from "../lifecycle/task.ts";

/** What a container was asked to publish, and what it publishes now. */
export interface PublishedPorts {
  PortBindings: PortMap;
  Ports: PortMap;
}

/**
 * What of a container's bindings is published: those of ports that it exposes, as with Docker, whose clients say both.
 * @returns as the network takes it
 */
export function portRequest({
  record,
  hostConfig: { PortBindings, PublishAllPorts },
}: Pick<Container, "record" | "hostConfig">): Pick<
  SandboxRequest,
  "portBindings" | "publishAllPorts" | "exposedPorts"
> {
  const exposedPorts = Object.keys(record.Config.ExposedPorts ?? {});
  const exposed = new Set(exposedPorts.map(canonicalPort));
  const bindings = Object.entries(PortBindings ?? {}).filter(([key]) => exposed.has(canonicalPort(key)));
  return { portBindings: Object.fromEntries(bindings), publishAllPorts: PublishAllPorts, exposedPorts };
}

export function publishedPorts(container: Container): PublishedPorts {
  return { PortBindings: container.hostConfig.PortBindings ?? {}, Ports: container.record.NetworkSettings.Ports ?? {} };
}

/**
 * Publishes these ports of a container in the place of all others: at once when it runs, and from its next start on.
 * @throws InvalidArgument, Conflict as a create and an update give them; Unknown for a port that cannot be had. Nothing has changed then.
 */
export async function changePorts(
  context: Context,
  container: Container,
  bindings: PortMap,
): Promise<PublishedPorts & { Warnings: string[] | null }> {
  const warnings = await container.lock.run(async () => {
    const { record } = container;
    if (record.State.RemovalInProgress || record.State.Dead) {
      throw new Conflict(
        `Cannot update container ${container.id}: container is marked for removal and cannot be "update"`,
      );
    }
    const next = { ...container.hostConfig, PortBindings: bindings };
    if (containerOf(next.NetworkMode) !== undefined)
      throw new InvalidArgument("conflicting options: port publishing and the container type network mode");
    const given = await verifyContainerSettings({
      config: record.Config,
      hostConfig: next,
      host: context.host,
      settings: context.settings.engine,
    });
    const before = { record: container.record, hostConfig: container.hostConfig };
    const wanted = asking(container, bindings);
    if (container.alive) await publish(context, container, wanted);
    try {
      await save(container, wanted);
    } catch (error) {
      if (container.alive)
        await attempt(context, "publishing the former ports of a container", () => publish(context, container, before));
      throw new Unknown(`Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
    }
    return given;
  });
  emitContainer(context, container, "update");
  return { ...publishedPorts(container), Warnings: warnings.length === 0 ? null : warnings };
}

async function publish(context: Context, container: Container, wanted: Asked): Promise<void> {
  const { record } = container;
  record.NetworkSettings.Ports = (await context.network.publish(container.id, portRequest(wanted))).ports;
}

/** What a container is to publish and expose. */
type Asked = Parameters<typeof portRequest>[0];

/** A container as if these were its bindings, of ports that it exposes then. */
function asking({ record, hostConfig }: Container, bindings: PortMap): Asked {
  const ExposedPorts = { ...record.Config.ExposedPorts };
  const known = new Set(Object.keys(ExposedPorts).map(canonicalPort));
  for (const key of Object.keys(bindings)) if (!known.has(canonicalPort(key))) ExposedPorts[key] = {};
  return {
    record: { ...record, Config: { ...record.Config, ExposedPorts } },
    hostConfig: { ...hostConfig, PortBindings: bindings },
  };
}

/** What cannot be written down does not hold. */
async function save(container: Container, { record, hostConfig }: Asked): Promise<void> {
  const before = { hostConfig: container.hostConfig, Config: container.record.Config };
  container.hostConfig = hostConfig;
  container.record.Config = record.Config;
  try {
    await container.saveAll();
  } catch (error) {
    container.hostConfig = before.hostConfig;
    container.record.Config = before.Config;
    throw error;
  }
}

/** An engine that was killed may have published ports that it did not come to note: the network knows. */
export async function adoptPorts(context: Context, container: Container): Promise<void> {
  const sandbox = context.network.get(container.id);
  if (!sandbox || container.hostConfig.NetworkMode.startsWith("container:")) return;
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  if (
    same(sandbox.portBindings, portRequest(container).portBindings) &&
    same(sandbox.ports, container.record.NetworkSettings.Ports)
  )
    return;
  container.record.NetworkSettings.Ports = sandbox.ports;
  await save(container, asking(container, sandbox.portBindings));
}
