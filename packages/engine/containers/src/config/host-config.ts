import type { HostConfig } from "@longshore/docker-api";
import { completeHostConfig as complete, type Given } from "@longshore/docker-spec";
import type { Context } from "../model/context.ts";
import { completeLogConfig } from "../logging/log-options.ts";

/** A host configuration as a client sent it, with every member that Docker always shows, and the engine's log driver. */
export function completeHostConfig(context: Context, given: Partial<HostConfig>): HostConfig {
  const { settings } = context;
  const config = complete(given as Given<HostConfig>);
  config.LogConfig = completeLogConfig(config.LogConfig, settings.logDriver, settings.logOpts);
  return config;
}
