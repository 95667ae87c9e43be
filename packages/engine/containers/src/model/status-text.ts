import { humanDuration } from "./duration.ts";
import { never, type StateRecord } from "./record.ts";
import { parseTime } from "./time.ts";

const healthWords = {
  healthy: " (healthy)",
  unhealthy: " (unhealthy)",
  starting: " (health: starting)",
  none: "",
} as const;

/** The text that `docker ps` shows as a container's status. `nowMs` counts from 1970. */
export function statusText(state: StateRecord, nowMs: number): string {
  const since = (time: string): string => humanDuration(Math.max(0, nowMs - parseTime(time)));
  if (state.Running) {
    if (state.Paused) return `Up ${since(state.StartedAt)} (Paused)`;
    if (state.Restarting) return `Restarting (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
    return `Up ${since(state.StartedAt)}${state.Health === null ? "" : healthWords[state.Health.Status]}`;
  }
  if (state.RemovalInProgress) return "Removal In Progress";
  if (state.Dead) return "Dead";
  if (state.StartedAt === never) return "Created";
  return state.FinishedAt === never ? "" : `Exited (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
}
