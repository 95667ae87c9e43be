import type { HostConfig } from "@longshore/docker-api";
import type { Container } from "../../model/container.ts";

const firstDelayMs = 100;
const maxDelayMs = 60_000;
/** A run of this length counts as healthy and resets the delay. */
const goodRunMs = 10_000;

/** Whether the policy wants another run after an exit. */
export function wantsRestart(
  policy: HostConfig["RestartPolicy"],
  exit: { exitCode: number; restartCount: number; manuallyStopped: boolean },
): boolean {
  switch (policy.Name) {
    case "always":
      return true;
    case "unless-stopped":
      return !exit.manuallyStopped;
    case "on-failure":
      return exit.exitCode !== 0 && (policy.MaximumRetryCount === 0 || exit.restartCount < policy.MaximumRetryCount);
    default:
      return false;
  }
}

/** How long to wait before the next run: 100 ms, doubled after each short run, a minute at most. */
export function nextDelay(previousMs: number, ranMs: number): number {
  return previousMs === 0 || ranMs >= goodRunMs ? firstDelayMs : Math.min(previousMs * 2, maxDelayMs);
}

export function cancelRestart(container: Container): void {
  clearTimeout(container.restart.timer);
  container.restart.timer = undefined;
}

/** Whether a container that does not run is to be started when the engine comes up. */
export function startsAtBoot(container: Container): boolean {
  const { record, hostConfig } = container;
  if (!record.HasBeenStartedBefore) return false;
  const exit = {
    exitCode: record.State.ExitCode,
    restartCount: record.RestartCount,
    manuallyStopped: record.HasBeenManuallyStopped,
  };
  return wantsRestart(hostConfig.RestartPolicy, exit);
}
