import { chown, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { serve } from "@longshore/grpc";
import type { Logger } from "@longshore/logger";
import { takeServiceManager } from "@longshore/sys";
import type { Config } from "./config/config.ts";
import { pluginConfig } from "./config/plugin-config.ts";
import { lockDirectory } from "./lock.ts";
import { builtinPlugins } from "./plugins/builtin.ts";
import { grpcService } from "./plugins/types.ts";
import { loadPlugins } from "./registry/load.ts";
import { type Registration, uriOf } from "./registry/registration.ts";

/** How long calls that are under way may take to finish at the end. */
const graceMs = 5000;

export interface Daemon {
  /** Finishes calls that are under way, closes the plugins, the last first. */
  stop(): Promise<void>;
}

/**
 * Starts containerd.
 * @throws InvalidArgument for paths that are not absolute, FailedPrecondition when another daemon has the directories
 */
export async function startDaemon(config: Config, logger: Logger): Promise<Daemon> {
  const { root, state, grpc } = config;
  const notify = takeServiceManager((error) => logger.warn({ error: messageOf(error) }, "systemd was not told"));
  for (const [name, path] of Object.entries({ root, state, "GRPC address": grpc.address })) {
    if (!isAbsolute(path)) throw new InvalidArgument(`${name} must be an absolute path: ${path}`);
  }
  if (root === state) throw new InvalidArgument("root and state must be different paths: invalid argument");
  const ttrpcAddress = config.ttrpc.address || `${grpc.address}.ttrpc`;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(state, { recursive: true, mode: 0o711 });
  await mkdir(dirname(grpc.address), { recursive: true, mode: 0o711 });
  const unlocks = [lockDirectory(root), lockDirectory(state)];
  if (config.oom_score !== 0) await writeFile("/proc/self/oom_score_adj", String(config.oom_score));

  const { plugins, close } = await loadPlugins(builtinPlugins(config), {
    disabled: config.disabled_plugins,
    required: config.required_plugins,
    configOf: (registration) => configOf(registration, config, logger),
    properties: { root, state, grpcAddress: grpc.address, ttrpcAddress, logger },
  });
  const server = await serve(plugins.working(grpcService), { path: grpc.address, mode: 0o660 }).catch(async (error) => {
    await close().catch(() => undefined);
    throw error;
  });
  await chown(grpc.address, grpc.uid, grpc.gid);
  notify("READY=1");
  logger.info({ address: grpc.address, root, state }, "containerd is up");

  return {
    async stop() {
      notify("STOPPING=1");
      await server.close(graceMs);
      await close();
      for (const path of [grpc.address, ttrpcAddress]) await rm(path, { force: true });
      for (const unlock of unlocks) unlock();
    },
  };
}

function configOf(registration: Registration, { plugins }: Config, logger: Logger): object {
  const { config, ignored } = pluginConfig(registration, plugins);
  for (const key of ignored)
    logger.warn({ plugin: uriOf(registration), key }, "Ignoring unknown key in TOML for plugin");
  return config;
}
