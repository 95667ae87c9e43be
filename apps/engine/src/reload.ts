import { hostname } from "node:os";
import { checkAuthorizationPlugins } from "./access/authorization.ts";
import { cgroupDriver } from "./config/exec-options.ts";
import type { Given } from "./config/options/table.ts";
import { reloadedConfig, toldOptions } from "./config/reload.ts";
import type { Engine } from "./engine.ts";
import { registryHosts } from "./images.ts";
import { writeRuntimeWrappers } from "./runtimes.ts";
import { containerSettings } from "./settings.ts";

/** Puts daemon.json and the file of the engine's own keys, as they are now, into force. A file that is wrong in any way changes nothing and is logged. */
export async function reload(engine: Engine, flags: Given): Promise<void> {
  const { config, containers, log } = engine;
  log.info("got signal to reload configuration");
  try {
    const next = await reloadedConfig(config, flags);
    const settings = containerSettings(next, cgroupDriver(next));
    registryHosts(next);
    await checkAuthorizationPlugins(engine.plugins, next.authorizationPlugins);
    await writeRuntimeWrappers(next);
    engine.reconfigure(next.access);
    // Every operation looks into these two anew.
    Object.assign(config, next);
    Object.assign(containers.settings, settings);
    log.level = engine.images.log.level = config.logLevel;
    for (const note of config.notes) log.info(note);
    log.info("reloaded configuration");
  } catch (error) {
    log.error({ err: error }, "the configuration could not be reloaded and stays as it was");
    return;
  }
  engine.events.emit("daemon", "reload", {
    ID: engine.id,
    Attributes: { name: hostname(), "live-restore": "true", ...toldOptions(config) },
  });
}
