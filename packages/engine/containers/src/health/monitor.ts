import type { Health, HealthcheckResult } from "@longshore/docker-api";
import type { HealthSettings } from "./settings.ts";

const maxLog = 5;
const maxOutputBytes = 4096;

export interface ProbeResult {
  exitCode: number;
  output: string;
}

export interface HealthHooks {
  /** Runs the probe; the signal aborts when its time is up or the monitor is stopped. */
  probe: (command: readonly string[], signal: AbortSignal) => Promise<ProbeResult>;
  /** After each probe; `changed` when the status became another one. */
  onResult: (health: Health, changed: boolean) => void;
}

/** What a result makes of a container's health. `sinceStartMs` counts from the container's start to the probe's. */
export function judge(
  before: Health,
  result: HealthcheckResult,
  settings: HealthSettings,
  sinceStartMs: number,
): Health {
  const Log = [...(before.Log ?? []), result].slice(-maxLog);
  if (result.ExitCode === 0) return { Status: "healthy", FailingStreak: 0, Log };
  const excused = before.Status === "starting" && sinceStartMs < settings.startPeriodMs;
  if (excused) return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  return { Status: FailingStreak >= settings.retries ? "unhealthy" : before.Status, FailingStreak, Log };
}

/** Go's way to write a duration, for the text about a probe that took too long. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${(ms % 60_000) / 1000}s`;
}

/** A probe that did not come to its end. */
export class Interrupted extends Error {
  /** What it had said until then. */
  readonly output: string;

  constructor(output: string, options?: ErrorOptions) {
    super("interrupted", options);
    this.output = output;
  }
}

function clip(output: string): string {
  const bytes = Buffer.from(output);
  return bytes.length <= maxOutputBytes ? output : `${bytes.subarray(0, maxOutputBytes).toString("utf8")}...`;
}

/** Probes one running container from time to time until it is stopped. */
export class HealthMonitor {
  #health: Health;
  readonly #settings: HealthSettings;
  readonly #hooks: HealthHooks;
  readonly #startedMs: number;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** @param startedMs when the container started, in ms since 1970 */
  constructor(settings: HealthSettings, hooks: HealthHooks, startedMs: number, health: Health) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#startedMs = startedMs;
    this.#health = health;
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return;
    const { startPeriodMs, startIntervalMs, intervalMs } = this.#settings;
    const starting = this.#health.Status === "starting" && Date.now() - this.#startedMs < startPeriodMs;
    this.#timer = setTimeout(() => void this.#run(), starting ? startIntervalMs : intervalMs);
  }

  async #run(): Promise<void> {
    const begun = Date.now();
    const result = await this.#probe(begun);
    if (this.#stopped.signal.aborted) return;
    const before = this.#health;
    this.#health = judge(before, result, this.#settings, begun - this.#startedMs);
    this.#hooks.onResult(this.#health, before.Status !== this.#health.Status);
    this.#schedule();
  }

  async #probe(begun: number): Promise<HealthcheckResult> {
    const late = AbortSignal.timeout(this.#settings.timeoutMs);
    let outcome: ProbeResult;
    try {
      outcome = await this.#hooks.probe(this.#settings.command, AbortSignal.any([late, this.#stopped.signal]));
    } catch (error) {
      const said = error instanceof Interrupted && error.output !== "" ? `: ${error.output}` : "";
      const text = late.aborted
        ? `Health check exceeded timeout (${duration(this.#settings.timeoutMs)})${said}`
        : String(error instanceof Error ? error.message : error);
      outcome = { exitCode: -1, output: text };
    }
    return {
      Start: new Date(begun).toISOString(),
      End: new Date().toISOString(),
      ExitCode: outcome.exitCode,
      Output: clip(outcome.output),
    };
  }
}
