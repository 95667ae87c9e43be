import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Reserve } from "@longshore/atomicfile";
import { ArchiveWorkers, FileArchiver, Layers } from "@longshore/archive";
import {
  attachingBackend,
  containersBackend,
  type Context,
  ContainerStore,
  damagedContainers,
  execBackend,
  LogFeeds,
  restoreContainers,
  resumeContainers,
  TaskMonitor,
} from "@longshore/containers";
import type { ContainerdClient } from "@longshore/containerd-client";
import { commitImage, type ImageResolver, damageOfImages, imageResolver, imagesBackend } from "@longshore/images";
import type { Logger } from "@longshore/logger";
import { LogDrivers } from "@longshore/logging";
import { type Networks, networksBackend, type Sandboxes } from "@longshore/networks";
import type { Plugins } from "@longshore/plugins";
import { readHostFacts } from "@longshore/docker-spec";
import { type VolumeStore, volumesBackend } from "@longshore/volumes";
import { AuditLog } from "./access/audit/audit.ts";
import { authorize, checkAuthorizationPlugins } from "./access/authorization.ts";
import { guard } from "./access/guard.ts";
import type { Backends } from "./backends.ts";
import type { AccessConfig } from "./config/files/engine-keys.ts";
import type { Config } from "./config/config.ts";
import { cgroupDriver } from "./config/exec-options.ts";
import type { Engine } from "./engine.ts";
import type { EventHub } from "./events/hub.ts";
import { engineId } from "./identity.ts";
import { imagesContext } from "./images.ts";
import { openListeners } from "./listeners/open.ts";
import { Metrics, type MetricsSource } from "./metrics/metrics.ts";
import { measureRequests } from "./metrics/requests.ts";
import { serveMetrics } from "./metrics/serve.ts";
import { routes } from "./routes/all.ts";
import { writeRuntimeWrappers } from "./runtimes.ts";
import { createApp } from "./server/app.ts";
import { containerSettings } from "./settings.ts";
import { systemBackend } from "./system/backend.ts";
import { containerdDamage } from "./system/containerd-damage.ts";
import { systemInfo } from "./system/info.ts";

/** The parts that the engine is made of, ready to work. */
export interface Parts {
  containerd: ContainerdClient;
  network: Sandboxes;
  networks: Networks;
  volumes: VolumeStore;
  plugins: Plugins;
  events: EventHub;
  log: Logger;
  /** What networks and volumes have set aside as damaged, in words. */
  damage: () => string[];
}

export interface Daemon {
  readonly engine: Engine;
  /** Stops serving; containers go on. */
  close(): Promise<void>;
}

/** So much of the data root is kept for the moment when the disk is full. */
const reserveBytes = 1 << 20;

async function containerContext(
  config: Config,
  parts: Parts,
  store: ContainerStore,
  images: ImageResolver,
  space: Reserve,
): Promise<Context> {
  const driver = cgroupDriver(config);
  const settings = containerSettings(config, driver);
  await writeRuntimeWrappers(config);
  const host = await readHostFacts({
    cgroupDriver: driver,
    runtime: { name: settings.defaultRuntime, binary: settings.runtimes[settings.defaultRuntime]?.binary ?? "" },
  });
  const { containerd, network, networks, volumes, events, log } = parts;
  const loggingDir = join(config.execRoot, "logging");
  await mkdir(loggingDir, { recursive: true, mode: 0o700 });
  const logFeeds = new LogFeeds(new LogDrivers(parts.plugins, loggingDir), log);
  return {
    containerd,
    network,
    networks,
    volumes,
    logFeeds,
    images,
    emit: events.emit,
    log,
    settings,
    host,
    store,
    space,
  };
}

/**
 * Brings the engine up: records are loaded and compared with containerd, sockets are opened, then
 * containers whose policy asks for it are started.
 */
export async function startDaemon(config: Config, parts: Parts): Promise<Daemon> {
  await mkdir(config.execRoot, { recursive: true, mode: 0o711 });
  const store = new ContainerStore();
  const space = new Reserve(join(config.dataRoot, "reserve"), reserveBytes);
  space.fill();
  const images = imagesContext(config, {
    containerd: parts.containerd,
    store,
    emit: parts.events.emit,
    log: parts.log,
  });
  const metrics = config.metricsAddr === "" ? undefined : new Metrics();
  const measured = metrics === undefined ? parts : { ...parts, network: metrics.watch(parts.network) };
  const containers: Context = {
    ...(await containerContext(config, measured, store, imageResolver(images), space)),
    ...(metrics === undefined ? {} : { healthObserver: metrics.health }),
  };
  const workers = new ArchiveWorkers();
  const audit = new AuditLog(parts.log);
  const archiver = new FileArchiver(workers);
  const reconfigure = (access: AccessConfig): void => {
    audit.configure(access.audit);
    archiver.limit = access.maxUnpacked ?? 0;
  };
  reconfigure(config.access);
  const damage = async (): Promise<string[]> => [
    ...(await damagedContainers(containers)),
    ...parts.damage(),
    ...damageOfImages(images),
    ...audit.problems(),
    ...(await containerdDamage(parts.containerd)),
  ];
  const engine: Engine = {
    damage,
    config,
    containers,
    plugins: parts.plugins,
    networks: parts.networks,
    images,
    events: parts.events,
    log: parts.log,
    reconfigure,
    id: await engineId(config.dataRoot),
  };
  const backends: Backends = {
    config,
    containers: containersBackend(containers, {
      archiver,
      layers: new Layers(workers),
      commitImage: (request) => commitImage(images, request),
    }),
    exec: execBackend(containers),
    images: imagesBackend(images),
    networks: networksBackend(parts.networks, parts.events.emit, attachingBackend(containers, parts.networks)),
    volumes: volumesBackend(parts.volumes, parts.events.emit),
    system: systemBackend(engine),
    events: parts.events,
    log: parts.log,
  };
  await restoreContainers(containers);
  const monitor = new TaskMonitor(containers);
  monitor.start();
  const app = createApp(parts.log, { experimental: config.experimental, traceOf: (id) => store.byId(id)?.trace });
  if (metrics !== undefined) measureRequests(app, metrics);
  audit.watch(app);
  guard(app);
  await checkAuthorizationPlugins(parts.plugins, config.authorizationPlugins);
  authorize(app, parts.plugins, config);
  for (const route of routes) route(app, backends);
  await app.ready();
  const source: MetricsSource = {
    containers: () => store.list(),
    events: () => ({ logged: parts.events.logged, listeners: parts.events.listeners }),
    info: () => systemInfo(engine),
  };
  const endMetrics = metrics && (await serveMetrics(config.metricsAddr, () => metrics.text(source), parts.log));
  const listeners = await openListeners(config, app.routing.bind(app), audit, parts.log);
  void resumeContainers(containers);
  return {
    engine,
    close: async () => {
      await Promise.all([endMetrics?.(), ...listeners.map((listener) => listener.close())]);
      await monitor.stop();
      await containers.logFeeds.close();
      await app.close();
      await workers.close();
      space.close();
    },
  };
}
