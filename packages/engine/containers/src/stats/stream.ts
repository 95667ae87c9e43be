import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerStatsResponse } from "@longshore/docker-api";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { emptyStats, sampleStats } from "./stats.ts";

const intervalMs = 1000;

/** A sample by itself, or behind one that tells how much was used in the second before. @throws AbortError once nobody wants it */
export async function oneStats(
  context: Context,
  container: Container,
  { oneShot, signal }: { oneShot: boolean; signal: AbortSignal },
): Promise<Partial<ContainerStatsResponse>> {
  if (!container.alive) return emptyStats(container);
  const first = await sampleStats(context, container, undefined);
  if (oneShot) {
    // As Docker: one shot names no container.
    const { id: _id, name: _name, ...sample } = first;
    return sample;
  }
  await sleep(intervalMs, undefined, { signal });
  return sampleStats(context, container, first);
}

/** A sample each second, until `signal` or the container's removal ends it. */
export async function* streamStats(
  context: Context,
  container: Container,
  signal: AbortSignal,
): AsyncGenerator<ContainerStatsResponse, void> {
  const removed = new AbortController();
  container.wait("removed", signal).then(
    () => removed.abort(),
    () => undefined,
  );
  const over = AbortSignal.any([signal, removed.signal]);
  let previous: ContainerStatsResponse | undefined;
  while (!over.aborted) {
    const sample = await sampleStats(context, container, previous);
    yield sample;
    previous = container.alive ? sample : undefined;
    await sleep(intervalMs, undefined, { signal: over }).catch(() => undefined);
  }
}
