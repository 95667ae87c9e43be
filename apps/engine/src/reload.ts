import { hostname } from "node:os";
import { checkAuthorizationPlugins } from "./access/authorization.ts";
import type { Config } from "./config/config.ts";
import { cgroupDriver } from "./config/exec-options.ts";
import type { Given } from "./config/flags.ts";
import { reloadedConfig } from "./config/reload.ts";
import type { Engine } from "./engine.ts";
import { registryHosts } from "./images.ts";
import { writeRuntimeWrappers } from "./runtimes.ts";
import { containerSettings } from "./settings.ts";

/** What dockerd's event of a reload tells: options by their names in daemon.json. */
function attributes(config: Config): Record<string, string> {
  return {
    name: hostname(),
    debug: String(config.debug),
    "default-cgroupns-mode": config.defaultCgroupnsMode,
    "default-ipc-mode": config.defaultIpcMode,
    "default-runtime": config.defaultRuntime,
    "default-shm-size": String(config.defaultShmSize),
    features: `map[${Object.entries(config.features)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, enabled]) => `${name}:${enabled}`)
      .join(" ")}]`,
    "insecure-registries": JSON.stringify(config.insecureRegistries),
    labels: JSON.stringify(config.labels),
    "live-restore": "true",
    "max-concurrent-downloads": String(config.maxConcurrentDownloads),
    "max-concurrent-uploads": String(config.maxConcurrentUploads),
    "max-download-attempts": String(config.maxDownloadAttempts),
    "registry-mirrors": JSON.stringify(config.registryMirrors),
    runtimes: Object.entries(config.runtimes)
      .map(([name, { path = "" }]) => `${name}:${path}`)
      .join(" "),
    "shutdown-timeout": String(config.shutdownTimeout),
  };
}

/** Puts daemon.json, as it is now, into force. A file that is wrong in any way changes nothing and is logged. */
export async function reload(engine: Engine, flags: Given): Promise<void> {
  const { config, containers, log } = engine;
  log.info("got signal to reload configuration");
  try {
    const next = await reloadedConfig(config, flags);
    const settings = containerSettings(next, cgroupDriver(next));
    registryHosts(next);
    await checkAuthorizationPlugins(engine.plugins, next.authorizationPlugins);
    await writeRuntimeWrappers(next);
    // Every operation looks into these two anew.
    Object.assign(config, next);
    Object.assign(containers.settings, settings);
    log.level = engine.images.log.level = config.logLevel;
    log.info("reloaded configuration");
  } catch (error) {
    log.error({ err: error }, "the configuration could not be reloaded and stays as it was");
    return;
  }
  engine.events.emit("daemon", "reload", { ID: engine.id, Attributes: attributes(config) });
}
