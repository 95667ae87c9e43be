import { setTimeout as sleep } from "node:timers/promises";

/** Nobody waits longer than this for a plugin to come, in milliseconds. */
const patienceMs = 30_000;

/** Pauses of 1, 2, 4, 8 seconds, … as dockerd makes them. */
export function backoffMs(retries: number): number {
  return Math.min(1000 * 2 ** retries, patienceMs);
}

/**
 * Tries again while `again` says that the error may pass, with growing pauses, until the next
 * pause would go beyond 30 seconds. @throws the last error
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  again: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  const began = performance.now();
  for (let retries = 0; ; retries++) {
    try {
      return await work();
    } catch (error) {
      const pause = backoffMs(retries);
      if (!again(error) || signal?.aborted === true || performance.now() - began + pause >= patienceMs) throw error;
      await sleep(pause, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
