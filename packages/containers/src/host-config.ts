import type { HostConfig } from "@longshore/api";
import { completeHostConfig as complete, type Given } from "@longshore/spec";
import type { Context } from "./context.ts";
import { completeLogConfig } from "./log-options.ts";

/** A host configuration as a client sent it, with every member that Docker always shows, and the engine's log driver. */
export function completeHostConfig(context: Context, given: Partial<HostConfig>): HostConfig {
  const { settings } = context;
  const config = complete(given as Given<HostConfig>);
  config.LogConfig = completeLogConfig(config.LogConfig, settings.logDriver, settings.logOpts);
  return config;
}
