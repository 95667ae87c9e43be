import type { HostConfig, HostConfigRequest } from "@longshore/docker-api";
import { completeHostConfig as complete } from "@longshore/docker-spec";
import type { Context } from "../model/context.ts";
import { completeLogConfig } from "../logging/log-options.ts";

/** A host configuration as a client sent it, with every member that Docker always shows, and the engine's log driver. */
export function completeHostConfig(context: Context, given: HostConfigRequest): HostConfig {
  const { settings } = context;
  const config = complete(given);
  config.LogConfig = completeLogConfig(config.LogConfig, settings.logDriver, settings.logOpts);
  return config;
}
