import { connectContainerd } from "@longshore/containerd-client/connect";
import { Channel } from "@longshore/grpc";
import { createLogger, type Logger } from "@longshore/logger";
import { NetworkController, pluginNetworks } from "@longshore/networks";
import { Plugins } from "@longshore/plugins";
import { DriverVolumes, LocalVolumes, pluginVolumeDrivers } from "@longshore/volumes";
import { releaseMemoryWhenIdle, takeServiceManager } from "@longshore/sys";
import { configureTracing } from "@longshore/telemetry/daemon";
import type { Config } from "./config/config.ts";
import type { Given } from "./config/options/table.ts";
import { setProxies } from "./config/proxies.ts";
import { startDaemon } from "./daemon.ts";
import { dockerProxyProgram } from "./docker-proxy.ts";
import { EventHub } from "./events/hub.ts";
import { lockDataRoot, removePidFile, writePidFile } from "./pidfile.ts";
import { reload } from "./reload.ts";
import { verifyStart } from "./verify.ts";

/** How long containerd may take to come up beside the engine. */
const containerdTimeoutMs = 60_000;

async function openNetwork(
  config: Config,
  plugins: Plugins,
  events: EventHub,
  log: Logger,
): Promise<NetworkController> {
  const { network, dataRoot, execRoot } = config;
  return NetworkController.open({
    ...network,
    dataRoot,
    execRoot,
    proxyProgram: dockerProxyProgram(),
    plugins: pluginNetworks(plugins),
    emit: events.emit,
    log,
  });
}

/** Runs the engine until SIGTERM or SIGINT; SIGHUP reads daemon.json again. Containers outlive it. */
export async function run(config: Config, flags: Given): Promise<void> {
  const log = createLogger("dockerd", config.logLevel, { format: config.logFormat });
  const notify = takeServiceManager((error) => log.warn({ err: error }, "systemd was not told"));
  const flushTraces = await configureTracing("dockerd");
  process.on("SIGPIPE", () => undefined);
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "unexpected error");
    process.exit(1);
  });
  setProxies(config, log);
  verifyStart(config, { activated: true });
  for (const warning of config.warnings) log.warn(warning);
  for (const note of config.notes) log.info(note);
  // What fails while nobody waits for it concerns one piece of work, not all.
  process.on("unhandledRejection", (error) => log.error({ err: error }, "unexpected rejection"));
  await writePidFile(config.pidfile);
  try {
    await serve(config, flags, { log, notify, flushTraces });
  } catch (error) {
    await removePidFile(config.pidfile);
    throw error;
  }
}

interface Surroundings {
  log: Logger;
  /** Tells the service manager. */
  notify: (message: string) => void;
  flushTraces: () => Promise<void>;
}

async function serve(config: Config, flags: Given, { log, notify, flushTraces }: Surroundings): Promise<void> {
  const unlock = await lockDataRoot(config.dataRoot);
  const channel = new Channel(config.containerd);
  log.info(`waiting for containerd at ${config.containerd}`);
  await channel.ready(containerdTimeoutMs);
  const containerd = connectContainerd(channel, config.containerdNamespace);
  const events = new EventHub();
  const plugins = new Plugins({ log: log.child({ module: "plugins" }) });
  const network = await openNetwork(config, plugins, events, log);
  const local = await LocalVolumes.open({ dataRoot: config.dataRoot, emit: events.emit, log });
  const volumes = await DriverVolumes.open({
    dataRoot: config.dataRoot,
    local,
    drivers: pluginVolumeDrivers(plugins),
    emit: events.emit,
    log,
  });
  const starting = startDaemon(config, {
    containerd,
    damage: () => [...network.damage(), ...local.damage(), ...volumes.damage()],
    network: network.sandboxes,
    networks: network.networks,
    volumes,
    plugins,
    events,
    log,
  });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    notify("STOPPING=1");
    log.info(`processing signal '${signal}': containers go on running`);
    starting
      .then((daemon) => daemon.close())
      .then(() => network.close())
      .then(() => flushTraces().catch((error: unknown) => log.warn({ err: error }, "spans could not be sent")))
      .then(() => removePidFile(config.pidfile))
      .then(
        () => {
          channel.close();
          unlock();
          process.exit(0);
        },
        (error: unknown) => {
          log.fatal({ err: error }, "could not stop cleanly");
          process.exit(1);
        },
      );
  };
  // Before the sockets answer: who is told that the engine is up may stop it at once.
  let reloading: Promise<void> = Promise.resolve();
  process.on("SIGHUP", () => {
    reloading = reloading.then(async () => reload((await starting).engine, flags));
    reloading.catch(() => undefined);
  });
  process.on("SIGTERM", stop).on("SIGINT", stop);
  await starting;
  notify("READY=1");
  releaseMemoryWhenIdle();
}
