import type { HealthConfig } from "@longshore/docker-api";

/** How a container is probed; times in milliseconds. */
export interface HealthSettings {
  /** Arguments of the probe; a shell form is already expanded. */
  command: string[];
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  retries: number;
}

const nsPerMs = 1e6;

function orDefault(ns: number | undefined, fallbackMs: number): number {
  return ns === undefined || ns === 0 ? fallbackMs : ns / nsPerMs;
}

/** Fills in Docker's defaults; `undefined` when the container has no health check: none, or of no kind that is known, or nothing to run. */
export function healthSettings(config: HealthConfig | undefined, shell: readonly string[]): HealthSettings | undefined {
  const [form, ...rest] = config?.Test ?? [];
  if (config === undefined || (form !== "CMD" && form !== "CMD-SHELL")) return undefined;
  const command = form === "CMD-SHELL" ? [...shell, ...rest] : rest;
  if (command.length === 0) return undefined;
  return {
    command,
    intervalMs: orDefault(config.Interval, 30_000),
    timeoutMs: orDefault(config.Timeout, 30_000),
    startPeriodMs: orDefault(config.StartPeriod, 0),
    startIntervalMs: orDefault(config.StartInterval, 5_000),
    retries: config.Retries === undefined || config.Retries === 0 ? 3 : config.Retries,
  };
}
