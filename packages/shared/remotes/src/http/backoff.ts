import { setTimeout as sleep } from "node:timers/promises";
import { type Pace, defaultPace } from "./pace.ts";

/** How often and how soon a request that failed is sent again. */
export interface RetryPolicy {
  /** Tries in all, the first one counted. */
  readonly attempts: number;
  /** Pause before the second try; it doubles with each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** What a connection that is not given up has to carry. */
  readonly pace: Pace;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  pace: defaultPace,
};

/** Statuses that tell of passing trouble. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

export function isPassing(status: number): boolean {
  return passing.has(status);
}

/** Milliseconds that a Retry-After header (seconds or an HTTP date) asks for. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Waits before try number `attempt` + 1; with jitter, so that many clients do not come back at once. */
export async function pause(
  policy: RetryPolicy,
  attempt: number,
  asked: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const grown = policy.firstDelayMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
  await sleep(Math.min(asked ?? grown, policy.maxDelayMs), undefined, signal === undefined ? {} : { signal });
}
