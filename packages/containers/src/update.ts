import type { HostConfig, Resources, RestartPolicy } from "@longshore/api";
import { Conflict, InvalidArgument, messageOf, Unknown } from "@longshore/errdefs";
import { checkRestartPolicy, resourcesOf, verifyContainerSettings } from "@longshore/spec";
import type { Container } from "./container.ts";
import { type Context, emitContainer } from "./context.ts";
import { attempt, jsonAny, resourcesType } from "./task.ts";

/** What `POST /containers/{id}/update` may change. */
export type UpdateRequest = Partial<Resources> & { RestartPolicy?: Partial<RestartPolicy> };

const changeable = [
  "BlkioWeight",
  "CpuShares",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "CpusetCpus",
  "CpusetMems",
  "Memory",
  "MemorySwap",
  "MemoryReservation",
  "KernelMemory",
  "NanoCpus",
] as const;

/** Applies what is set in the request; what is zero or empty stays. @throws InvalidArgument with Docker's messages */
function changed(container: Container, request: UpdateRequest): HostConfig {
  const refuse = (reason: string): never => {
    throw new Conflict(`Cannot update container ${container.id}: ${reason}`);
  };
  const { hostConfig } = container;
  const next = { ...hostConfig };
  if ((request.CpuPeriod || request.CpuQuota) && hostConfig.NanoCpus > 0) refuse("Nano CPUs is already set. CPU Period and Quota cannot be updated as both are mutually exclusive");
  if (request.NanoCpus && (hostConfig.CpuPeriod > 0 || hostConfig.CpuQuota > 0)) refuse("CPU Period or Quota is already set. Nano CPUs cannot be updated as both are mutually exclusive");
  const memory = request.Memory ?? 0;
  if (memory > 0 && memory > hostConfig.MemorySwap && !request.MemorySwap) {
    refuse("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
  }
  for (const key of changeable) {
    const value = request[key];
    if (value === undefined || value === null || value === 0 || value === "") continue;
    Object.assign(next, { [key]: value });
  }
  // As at creation everything that is no limit means none; here it is shown.
  if (request.PidsLimit !== undefined && request.PidsLimit !== null) next.PidsLimit = Math.max(0, request.PidsLimit);
  if (request.RestartPolicy?.Name) {
    const policy: RestartPolicy = { Name: request.RestartPolicy.Name, MaximumRetryCount: request.RestartPolicy.MaximumRetryCount ?? 0 };
    checkRestartPolicy(policy);
    if (hostConfig.AutoRemove && policy.Name !== "no") refuse("Restart policy cannot be updated because AutoRemove is enabled for the container");
    next.RestartPolicy = policy;
  }
  return next;
}

/** Changes limits and the restart policy, of a running container at once. @returns warnings */
export async function updateContainer(context: Context, container: Container, request: UpdateRequest): Promise<string[]> {
  const wish = { ...container.hostConfig, ...request, RestartPolicy: container.hostConfig.RestartPolicy } as HostConfig;
  const warnings = await verifyContainerSettings({ hostConfig: wish, host: context.host, settings: context.settings.engine, update: true });
  await container.lock.run(async () => {
    if (container.record.State.RemovalInProgress || container.record.State.Dead) {
      throw new Conflict(`Cannot update container ${container.id}: container is marked for removal and cannot be "update"`);
    }
    const next = changed(container, request);
    if (container.alive) await updateTask(context, container, next);
    await save(context, container, next);
  });
  emitContainer(context, container, "update");
  return warnings;
}

/** What cannot be written down does not hold. */
async function save(context: Context, container: Container, next: HostConfig): Promise<void> {
  const before = container.hostConfig;
  container.hostConfig = next;
  try {
    await container.saveAll();
  } catch (error) {
    container.hostConfig = before;
    if (container.alive) await attempt(context, "restoring the limits of a container", () => updateTask(context, container, before));
    throw new Unknown(`Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}

async function updateTask(context: Context, container: Container, hostConfig: HostConfig): Promise<void> {
  try {
    await context.containerd.tasks.update({ containerId: container.id, resources: jsonAny(resourcesType, await resourcesOf(hostConfig)) });
  } catch (error) {
    if (error instanceof InvalidArgument) throw error;
    throw new Unknown(`Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}
