import type { HostConfig } from "@longshore/docker-api";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { boolOf, quoteText, ramInBytes } from "@longshore/go-values";
import { serverDriver } from "@longshore/log-drivers";
import { logRotation } from "./log-rotation.ts";

const accepted: Record<string, readonly string[]> = {
  "json-file": [
    "max-file",
    "max-size",
    "compress",
    "labels",
    "labels-regex",
    "env",
    "env-regex",
    "tag",
    "mode",
    "max-buffer-size",
  ],
  local: ["max-file", "max-size", "compress", "mode", "max-buffer-size"],
  none: [],
};

/** What every driver that sends to a server takes. */
const serverKeys: readonly string[] = ["env", "env-regex", "labels", "labels-regex", "tag", "mode", "max-buffer-size"];

/** Options of the copy that is kept of a log for drivers that are fed; others take and ignore them. */
const cacheKeys: readonly string[] = ["cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"];

/**
 * Fills in the daemon's defaults and checks driver and options.
 * @throws InvalidArgument with Docker's messages
 */
export function completeLogConfig(
  config: HostConfig["LogConfig"] | undefined,
  driver: string,
  defaults: Record<string, string>,
): HostConfig["LogConfig"] {
  const type = config?.Type === undefined || (config.Type as string) === "" ? driver : config.Type;
  const options: Record<string, string> = { ...config?.Config };
  if (type === driver) for (const [key, value] of Object.entries(defaults)) options[key] ??= value;
  // What is not kept needs no judging.
  if (type === "none") return { Type: type, Config: options };
  const server = serverDriver(type);
  const known = server === undefined ? accepted[type] : [...serverKeys, ...server.options];
  checkOptions(type, known ?? Object.keys(options), options);
  server?.validate(options);
  if (isFedDriver(type)) cacheOptions(options);
  else logCacheDisabled(options);
  return { Type: type as HostConfig["LogConfig"]["Type"], Config: options };
}

/**
 * Checks what containers' logs are to be by default.
 * @throws InvalidArgument for options that its containers would be refused for
 */
export function checkLogDefaults(driver: string, options: Record<string, string>): void {
  if (Object.keys(options).length === 0) return;
  try {
    completeLogConfig(undefined, driver, options);
  } catch (error) {
    throw new InvalidArgument(`failed to set log opts: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether a driver is none of the engine's own: a plugin that has to be looked up. */
export function isPluginDriver(type: string): boolean {
  return isFedDriver(type) && serverDriver(type) === undefined;
}

/** Whether a driver, a plugin or one that sends to a server, is fed from a copy of the log that the shim keeps. */
export function isFedDriver(type: string): boolean {
  return accepted[type] === undefined;
}

/**
 * The options of the log that the shim keeps of a container whose driver is fed: from that, which `docker logs` reads, too.
 * @throws InvalidArgument
 */
export function cacheOptions(options: Record<string, string>): Record<string, string> {
  const cache = {
    "max-size": options["cache-max-size"] ?? "20m",
    "max-file": options["cache-max-file"] ?? "5",
    compress: options["cache-compress"] ?? "false",
  };
  logCacheDisabled(options);
  logRotation("local", cache);
  return cache;
}

/** Whether the log of a driver that is fed is not to be read from what the shim keeps. @throws InvalidArgument */
export function logCacheDisabled(options: Record<string, string> | null | undefined): boolean {
  const value = options?.["cache-disabled"];
  const disabled = value === undefined ? false : boolOf(value);
  if (disabled === undefined) throw new InvalidArgument(`invalid value for option cache-disabled: ${value}`);
  return disabled;
}

/** Whether a container's log can be read from what the shim keeps. */
export function canReadLog({ hostConfig: { LogConfig } }: { hostConfig: Pick<HostConfig, "LogConfig"> }): boolean {
  return LogConfig.Type !== "none" && !(isFedDriver(LogConfig.Type) && logCacheDisabled(LogConfig.Config));
}

function checkOptions(type: string, known: readonly string[], options: Record<string, string>): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key) || cacheKeys.includes(key)) continue;
    throw new InvalidArgument(
      `unknown log opt ${type === "gelf" ? quoteText(key) : `'${key}'`} for ${type === "local" ? "log driver local" : `${type} log driver`}`,
    );
  }
  const mode = options["mode"];
  if (mode !== undefined && !["", "blocking", "non-blocking"].includes(mode))
    throw new InvalidArgument(`logger: logging mode not supported: ${mode}`);
  if (options["max-buffer-size"] !== undefined && mode !== "non-blocking") {
    throw new InvalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  const size = options["max-buffer-size"];
  if (size === undefined) return;
  try {
    ramInBytes(size);
  } catch (error) {
    throw new InvalidArgument(`error parsing option max-buffer-size: ${messageOf(error)}`, { cause: error });
  }
}
