import { constants } from "node:os";
import { posix } from "node:path";
import type { ContainerConfig, HealthConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { cleanPath } from "../paths.ts";

/** Numbers of Linux's signals by name without `SIG`; RTMIN, RTMIN+n, RTMAX-n and RTMAX as Docker names them. */
const signals: ReadonlyMap<string, number> = new Map([
  ...Object.entries(constants.signals).map(([name, number]): [string, number] => [name.slice(3), number]),
  ["STKFLT", 16],
  ["RTMIN", 34],
  ...Array.from({ length: 15 }, (_, n): [string, number] => [`RTMIN+${n + 1}`, 35 + n]),
  ...Array.from({ length: 14 }, (_, n): [string, number] => [`RTMAX-${14 - n}`, 50 + n]),
  ["RTMAX", 64],
]);

/**
 * The number of a signal given as name (`SIGTERM`, `term`, `RTMIN+3`) or number.
 * @throws InvalidArgument `invalid signal: x`
 */
export function parseSignal(text: string): number {
  if (/^[+-]?\d+$/.test(text)) {
    if (Number(text) === 0) throw new InvalidArgument(`invalid signal: ${text}`);
    return Number(text);
  }
  const number = signals.get(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined) throw new InvalidArgument(`invalid signal: ${text}`);
  return number;
}

/** Nanoseconds in the shortest interval that a health check may have. */
const millisecond = 1_000_000;

function checkHealth(health: HealthConfig): void {
  for (const name of ["Interval", "Timeout"] as const) {
    const value = health[name] ?? 0;
    if (value !== 0 && value < millisecond) throw new InvalidArgument(`${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((health.Retries ?? 0) < 0) throw new InvalidArgument("Retries in Healthcheck cannot be negative");
  for (const name of ["StartPeriod", "StartInterval"] as const) {
    const value = health[name] ?? 0;
    if (value !== 0 && value < millisecond) throw new InvalidArgument(`${name} in Healthcheck cannot be less than 1ms`);
  }
}

/** Brings the working directory into its shortest form. @throws InvalidArgument with the real engine's messages */
export function checkContainerConfig(config: ContainerConfig): void {
  const { WorkingDir: workingDir, StopSignal: stopSignal } = config;
  if (workingDir !== "" && !posix.isAbsolute(workingDir)) {
    throw new InvalidArgument(`the working directory '${workingDir}' is invalid, it needs to be an absolute path`);
  }
  if (workingDir !== "") config.WorkingDir = cleanPath(workingDir);
  if (stopSignal) parseSignal(stopSignal);
  for (const variable of config.Env ?? []) {
    if (variable === "" || variable.startsWith("=")) {
      throw new InvalidArgument(`invalid environment variable: ${variable}`);
    }
  }
  if (config.Healthcheck !== undefined) checkHealth(config.Healthcheck);
}
