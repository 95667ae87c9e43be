import type { HostConfig, UpdateRequest } from "@longshore/docker-api";
import { Conflict, InvalidArgument, messageOf, Unknown } from "@longshore/errdefs";
import { completeHostConfig, resourcesOf, verifyContainerSettings } from "@longshore/docker-spec";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { hasEnded } from "../end/has-ended.ts";
import { attempt, jsonAny, resourcesType } from "../task.ts";

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

/** Limits of CPUs exclude each other, those that the container has, too. */
const exclusive = [
  ["NanoCpus", "CpuPeriod", "Nano CPUs cannot be updated as CPU Period"],
  ["NanoCpus", "CpuQuota", "Nano CPUs cannot be updated as CPU Quota"],
  ["CpuPeriod", "NanoCpus", "CPU Period cannot be updated as NanoCPUs"],
  ["CpuQuota", "NanoCpus", "CPU Quota cannot be updated as NanoCPUs"],
] as const;

/** Applies what is set in the request; what is zero or empty stays. @throws Conflict with Docker's messages */
function changed(container: Container, wish: HostConfig): HostConfig {
  const refuse = (reason: string): never => {
    throw new Conflict(`Cannot update container ${container.id}: ${reason}`);
  };
  const { hostConfig } = container;
  const next = { ...hostConfig };
  for (const [wanted, present, what] of exclusive) {
    if (wish[wanted] > 0 && hostConfig[present] > 0) refuse(`Conflicting options: ${what} has already been set`);
  }
  if (wish.Memory !== 0 && wish.Memory > hostConfig.MemorySwap && wish.MemorySwap === 0) {
    refuse("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
  }
  for (const key of changeable) {
    const value = wish[key];
    if (value !== undefined && value !== 0 && value !== "") Object.assign(next, { [key]: value });
  }
  // As at creation everything that is no limit means none; here it is shown.
  if (wish.PidsLimit !== null) next.PidsLimit = Math.max(0, wish.PidsLimit);
  if (wish.RestartPolicy.Name !== "") {
    if (hostConfig.AutoRemove && wish.RestartPolicy.Name !== "no")
      refuse("Restart policy cannot be updated because AutoRemove is enabled for the container");
    next.RestartPolicy = wish.RestartPolicy;
  }
  return next;
}

/** Changes limits and the restart policy, of a running container at once. @returns warnings */
export async function updateContainer(
  context: Context,
  container: Container,
  request: UpdateRequest,
): Promise<string[]> {
  const wish = completeHostConfig(request);
  // Without a name it is no policy, whatever else stands there.
  if (wish.RestartPolicy.Name === "") wish.RestartPolicy.MaximumRetryCount = 0;
  const warnings = await verifyContainerSettings({
    hostConfig: wish,
    host: context.host,
    settings: context.settings.engine,
    update: true,
  });
  await container.lock.run(async () => {
    if (container.record.State.RemovalInProgress || container.record.State.Dead) {
      throw new Conflict(
        `Cannot update container ${container.id}: container is marked for removal and cannot be "update"`,
      );
    }
    const next = changed(container, wish);
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
    if (container.alive)
      await attempt(context, "restoring the limits of a container", () => updateTask(context, container, before));
    throw new Unknown(`Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}

async function updateTask(context: Context, container: Container, hostConfig: HostConfig): Promise<void> {
  try {
    await context.containerd.tasks.update({
      containerId: container.id,
      // As with Docker, real-time limits count from the next start.
      resources: jsonAny(
        resourcesType,
        await resourcesOf({ ...hostConfig, CpuRealtimePeriod: 0, CpuRealtimeRuntime: 0 }),
      ),
    });
  } catch (error) {
    // Its limits count from its next start.
    if (await hasEnded(context, container)) return;
    if (error instanceof InvalidArgument) throw error;
    throw new Unknown(`Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}
