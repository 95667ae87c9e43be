import type { PortMap } from "@longshore/docker-api";
import { Conflict, InvalidArgument, messageOf, Unknown } from "@longshore/errdefs";
import { containerOf, verifyContainerSettings } from "@longshore/docker-spec";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { attempt } from "../lifecycle/task.ts";

/** What a container was asked to publish, and what it publishes now. */
export interface PublishedPorts {
  PortBindings: PortMap;
  Ports: PortMap;
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
    if (container.alive) await publish(context, container, bindings);
    try {
      await save(container, bindings);
    } catch (error) {
      if (container.alive)
        await attempt(context, "publishing the former ports of a container", () =>
          publish(context, container, container.hostConfig.PortBindings ?? {}),
        );
      throw new Unknown(`Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
    }
    return given;
  });
  emitContainer(context, container, "update");
  return { ...publishedPorts(container), Warnings: warnings.length === 0 ? null : warnings };
}

async function publish(context: Context, container: Container, portBindings: PortMap): Promise<void> {
  const { record, hostConfig } = container;
  const request = {
    portBindings,
    publishAllPorts: hostConfig.PublishAllPorts,
    exposedPorts: Object.keys(record.Config.ExposedPorts ?? {}),
  };
  record.NetworkSettings.Ports = (await context.network.publish(container.id, request)).ports;
}

/** What cannot be written down does not hold. */
async function save(container: Container, bindings: PortMap): Promise<void> {
  const before = container.hostConfig;
  container.hostConfig = { ...before, PortBindings: bindings };
  try {
    await container.saveAll();
  } catch (error) {
    container.hostConfig = before;
    throw error;
  }
}

/** An engine that was killed may have published ports that it did not come to note: the network knows. */
export async function adoptPorts(context: Context, container: Container): Promise<void> {
  const sandbox = context.network.get(container.id);
  if (!sandbox || container.hostConfig.NetworkMode.startsWith("container:")) return;
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  if (
    same(sandbox.portBindings, container.hostConfig.PortBindings ?? {}) &&
    same(sandbox.ports, container.record.NetworkSettings.Ports)
  )
    return;
  container.record.NetworkSettings.Ports = sandbox.ports;
  await save(container, sandbox.portBindings);
}
