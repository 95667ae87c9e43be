import { posix } from "node:path";
import type { ContainerConfig, HealthConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { parseSignal } from "@longshore/go-values";
import { cleanPath } from "../spec/paths.ts";

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
