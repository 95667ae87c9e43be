import { join } from "node:path";
import type { ContainerdClient } from "@longshore/containerd-client";
import type { EmitEvent } from "@longshore/docker-api";
import { type ContainerStore, imageUsage } from "@longshore/containers";
import type { ImagesContext } from "@longshore/images";
import type { Logger } from "@longshore/logger";
import { hostPlatform } from "@longshore/oci";
import { Connections, dockerHosts, type RegistryHosts } from "@longshore/remotes";
import type { Config } from "./config/config.ts";
import { cgroupDriver } from "./config/exec-options.ts";
import { type ProxyConfig, proxiesOf } from "./config/proxies.ts";
import { containerSettings } from "./settings.ts";
import { productVersion } from "./system/product.ts";

/**
 * Registries as the configuration has them at the time of asking: they may be changed by a reload.
 * @throws InvalidArgument for a setting that makes no sense
 */
export function registryHosts(
  config: Pick<Config, "registryMirrors" | "insecureRegistries"> & ProxyConfig,
): RegistryHosts {
  const hosts = () => {
    // Pulls and pushes are containerd's, whose environment is another one.
    const proxies = proxiesOf(config);
    const used = proxies.http !== "" || proxies.https !== "";
    return dockerHosts({
      mirrors: config.registryMirrors,
      insecureRegistries: config.insecureRegistries,
      ...(used ? { proxies } : {}),
    });
  };
  hosts();
  return (domain) => hosts()(domain);
}

/** The image side of the engine. @throws InvalidArgument for a registry setting that makes no sense */
export function imagesContext(
  config: Config,
  parts: { containerd: ContainerdClient; store: ContainerStore; emit: EmitEvent; log: Logger },
): ImagesContext {
  const { containerd, store, emit, log } = parts;
  return {
    containerd,
    owner: config.dataRoot,
    snapshotter: containerSettings(config, cgroupDriver(config)).snapshotter,
    platform: hostPlatform(),
    containers: () => store.list().map(imageUsage),
    registryHosts: registryHosts(config),
    hostsDir: join(config.execRoot, "registry-hosts"),
    connections: new Connections(),
    limits: {
      get downloads() {
        return config.maxConcurrentDownloads;
      },
      get uploads() {
        return config.maxConcurrentUploads;
      },
    },
    userAgent: `longshore/${productVersion}`,
    emit,
    log: log.child({ module: "images" }),
  };
}
