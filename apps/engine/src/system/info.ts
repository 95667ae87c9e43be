import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, hostname, machine, release, totalmem } from "node:os";
import type { SystemInfo } from "@longshore/docker-api";
import { builtInDrivers } from "@longshore/networks";
import { serverDriverNames } from "@longshore/log-drivers";
import { maskCredentials } from "../config/mask.ts";
import { proxiesOf } from "../config/proxies.ts";
import type { Engine } from "../engine.ts";
import { exposure } from "../listeners/exposure.ts";
import { engineVersion } from "../server/version/api-version.ts";
import { initVersion, runtimeFeatures, runtimeVersion } from "./components.ts";
import { registryConfig } from "./registry-config.ts";

function operatingSystem(): { name: string; version: string } {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      const text = readFileSync(path, "utf8");
      const field = (key: string): string => new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
      return { name: field("PRETTY_NAME") || "Linux", version: field("VERSION_ID") };
    } catch {
      continue;
    }
  }
  return { name: "Linux", version: "" };
}

function warnings({
  containers: {
    host: { sysInfo },
  },
  config,
}: Engine): string[] {
  const list: string[] = [];
  if (!sysInfo.MemoryLimit) list.push("WARNING: No memory limit support");
  if (!sysInfo.SwapLimit) list.push("WARNING: No swap limit support");
  if (!sysInfo.CPUCfs) list.push("WARNING: No cpu cfs quota support", "WARNING: No cpu cfs period support");
  if (!sysInfo.CPUShares) list.push("WARNING: No cpu shares support");
  if (!sysInfo.Cpuset) list.push("WARNING: No cpuset support");
  if (sysInfo.Seccomp && config.seccompProfile !== "builtin")
    list.push("WARNING: daemon is not using the default seccomp profile");
  if (sysInfo.IPv4ForwardingDisabled) list.push("WARNING: IPv4 forwarding is disabled");
  return list;
}

function securityOptions(engine: Engine): string[] {
  const { sysInfo } = engine.containers.host;
  const { config } = engine;
  return [
    ...(sysInfo.AppArmor ? ["name=apparmor"] : []),
    ...(sysInfo.Seccomp ? [`name=seccomp,profile=${config.seccompProfile}`] : []),
    ...(sysInfo.CgroupVersion === 2 ? ["name=cgroupns"] : []),
    ...(config.noNewPrivileges ? ["name=no-new-privileges"] : []),
  ];
}

function exposures({ hosts, tls }: Engine["config"]): string[] {
  return hosts.flatMap((address) => exposure(address, tls) ?? []);
}

/** The engine's own drivers and, as in dockerd, those plugins that carry a network now. */
function networkDrivers({ networks }: Engine): string[] {
  return [...new Set([...builtInDrivers, ...networks.list().map(({ Driver }) => Driver)])].sort();
}

/** Each runtime with what it says of itself, where it says something. */
async function runtimesInfo({ containers: { settings } }: Engine): Promise<SystemInfo["Runtimes"]> {
  const entries = Object.entries(settings.runtimes).map(async ([name, { binary, path, runtimeArgs }]) => {
    const features = binary === undefined ? "" : await runtimeFeatures(binary);
    const status = features === "" ? {} : { status: { "org.opencontainers.runtime-spec.features": features } };
    return [
      name,
      { ...(path === "" ? {} : { path }), ...(runtimeArgs.length === 0 ? {} : { runtimeArgs }), ...status },
    ] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The answer of `GET /info`, with all that any API version shows. */
export async function systemInfo(engine: Engine): Promise<Partial<SystemInfo>> {
  const { config, containers } = engine;
  const { host, settings, store } = containers;
  const { sysInfo } = host;
  const all = store.list();
  const count = (wanted: (status: string) => boolean): number =>
    all.filter((container) => wanted(container.status)).length;
  const os = operatingSystem();
  const proxies = proxiesOf(config);
  const runtime = await runtimeVersion(engine);
  const containerd = await containers.containerd.version.version({}).catch(() => undefined);
  const images = await containers.containerd.images.list({}).catch(() => undefined);
  return {
    ID: engine.id,
    Containers: all.length,
    ContainersRunning: count((status) => status === "running" || status === "restarting"),
    ContainersPaused: count((status) => status === "paused"),
    ContainersStopped: count((status) => !["running", "restarting", "paused"].includes(status)),
    Images: images?.images.length ?? 0,
    Driver: settings.snapshotter,
    DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]],
    Plugins: {
      Volume: ["local", ...engine.plugins.active("VolumeDriver")].sort(),
      Network: networkDrivers(engine),
      Authorization: config.authorizationPlugins.length > 0 ? config.authorizationPlugins : (null as never),
      Log: ["json-file", "local", ...serverDriverNames, ...engine.plugins.active("LogDriver")].sort(),
    },
    MemoryLimit: sysInfo.MemoryLimit,
    SwapLimit: sysInfo.SwapLimit,
    ...(sysInfo.KernelMemory ? { KernelMemory: true } : {}),
    ...(sysInfo.KernelMemoryTCP ? { KernelMemoryTCP: true } : {}),
    CpuCfsPeriod: sysInfo.CPUCfs,
    CpuCfsQuota: sysInfo.CPUCfs,
    CPUShares: sysInfo.CPUShares,
    CPUSet: sysInfo.Cpuset,
    PidsLimit: sysInfo.PidsLimit,
    IPv4Forwarding: !sysInfo.IPv4ForwardingDisabled,
    Debug: config.debug,
    NFd: readdirSync("/proc/self/fd").length,
    OomKillDisable: sysInfo.OomKillDisable,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: config.logDriver,
    CgroupDriver: host.cgroupDriver,
    CgroupVersion: String(sysInfo.CgroupVersion) as "1" | "2",
    NEventsListener: engine.events.listeners,
    KernelVersion: release(),
    OperatingSystem: os.name,
    OSVersion: os.version,
    OSType: "linux",
    Architecture: machine(),
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(config),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    GenericResources: config.genericResources.length === 0 ? null : config.genericResources,
    DockerRootDir: config.dataRoot,
    HttpProxy: maskCredentials(proxies.http),
    HttpsProxy: maskCredentials(proxies.https),
    NoProxy: proxies.no,
    Name: hostname(),
    Labels: config.labels,
    ExperimentalBuild: config.experimental,
    ServerVersion: engineVersion,
    Runtimes: await runtimesInfo(engine),
    DefaultRuntime: settings.defaultRuntime,
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "docker-init",
    ContainerdCommit: { ID: containerd?.revision ?? "" },
    RuncCommit: { ID: runtime.commit || runtime.version },
    InitCommit: { ID: await initVersion(engine) },
    SecurityOptions: securityOptions(engine),
    ...(config.network.defaultAddressPools.length === 0
      ? {}
      : {
          DefaultAddressPools: config.network.defaultAddressPools.map(({ base, size }) => ({ Base: base, Size: size })),
        }),
    FirewallBackend: { Driver: "nftables", Info: [] },
    CDISpecDirs: [],
    Containerd: {
      Address: config.containerd,
      Namespaces: { Containers: config.containerdNamespace, Plugins: config.containerdPluginsNamespace },
    },
    Warnings: [
      ...exposures(config),
      ...warnings(engine),
      ...config.warnings.map((warning) => `WARNING: ${warning}`),
      ...(await engine.damage()).map((problem) => `WARNING: ${problem}`),
    ],
  };
}
