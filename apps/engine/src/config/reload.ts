import { type Config, configPath, mergeConfig } from "./config.ts";
import { readDaemonJson } from "./daemon-json.ts";
import type { Given } from "./flags.ts";

/** What a reload takes from daemon.json, or sets back to its default when that no longer names it. */
const renewed = [
  "authorizationPlugins",
  "labels",
  "maxConcurrentDownloads",
  "maxConcurrentUploads",
  "maxDownloadAttempts",
  "features",
  "warnings",
] as const;

/** What a reload changes only when daemon.json names it, each with the flag that it belongs to. */
const changed = {
  debug: "debug",
  logLevel: "log-level",
  insecureRegistries: "insecure-registry",
  registryMirrors: "registry-mirror",
  runtimes: "add-runtime",
  defaultRuntime: "default-runtime",
  shutdownTimeout: "shutdown-timeout",
  defaultShmSize: "default-shm-size",
  defaultIpcMode: "default-ipc-mode",
  defaultCgroupnsMode: "default-cgroupns-mode",
} as const;

/**
 * Reads daemon.json again: the configuration that follows from `current`. All that is not named
 * above needs a restart and stays as it is, as with dockerd.
 * @throws InvalidArgument with dockerd's text
 */
export async function reloadedConfig(current: Config, flags: Given): Promise<Config> {
  const path = configPath(flags);
  const file = await readDaemonJson(path, flags);
  const fresh = mergeConfig(flags, file, path);
  const next: Config = { ...current };
  const take = <K extends keyof Config>(key: K): void => {
    next[key] = fresh[key];
  };
  renewed.forEach(take);
  for (const [key, flag] of Object.entries(changed)) if (file.given.has(flag)) take(key as keyof typeof changed);
  // The level follows both, whichever of them was named.
  if (file.given.has("debug")) take("logLevel");
  return next;
}
