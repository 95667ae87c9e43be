import { setTimeout as sleep } from "node:timers/promises";

/** What passes: descriptors, memory or room that others hold. */
const shortages = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ENOSPC", "EAGAIN"]);
const tries = 100;
const pauseMs = 20;

function isShortage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return shortages.has((error as NodeJS.ErrnoException).code ?? "") || isShortage(error.cause);
}

/** Does what has to be done, such as what follows a process's start, again while the kernel lacks the means for it, for two seconds at most. */
export async function retryTransient<T>(work: () => T | Promise<T>): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !isShortage(error)) throw error;
      await sleep(pauseMs);
    }
  }
}
