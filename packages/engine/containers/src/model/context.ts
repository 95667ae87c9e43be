import type { Any } from "@bufbuild/protobuf/wkt";
import type { ContainerdClient } from "@longshore/containerd-client";
import type { EmitEvent } from "@longshore/docker-api";
import type { Reserve } from "@longshore/atomicfile";
import type { ImageResolver } from "@longshore/images";
import type { Logger } from "@longshore/logger";
import type { Networks, Sandboxes } from "@longshore/networks";
import type { EngineSettings, HostFacts } from "@longshore/docker-spec";
import type { VolumeStore } from "@longshore/volumes";
import type { LogFeeds } from "../logging/log-feeds.ts";
import type { Container } from "./container.ts";
import type { ContainerStore } from "./store.ts";

/** What a name of a runtime means. */
export interface RuntimeSettings {
  /** containerd's name of the shim, e.g. `io.containerd.longshore.v2`, or the path of one. */
  shim: string;
  /** What the shim is told; a runtime that is given by its shim's type may have none. */
  options: Any | undefined;
  /** The OCI runtime's binary as configured; empty when the runtime is given by its shim's type. */
  path: string;
  runtimeArgs: string[];
  /** What is run as the OCI runtime: `path`, or a program that adds `runtimeArgs`. */
  binary: string;
}

/** What the engine's configuration says about containers. */
export interface ContainerSettings {
  /** Docker's layout: `containers/<id>` below it. */
  dataRoot: string;
  /** Sockets and temporary mounts; gone after a reboot. */
  execRoot: string;
  snapshotter: string;
  defaultRuntime: string;
  runtimes: Record<string, RuntimeSettings>;
  logDriver: string;
  logOpts: Record<string, string>;
  /** DNS settings for containers that name none. */
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  /** The bridge that the configuration names for the default network; empty for the engine's own. */
  bridge: string;
  engine: EngineSettings;
}

/** What every operation on containers works with. */
export interface Context {
  readonly containerd: ContainerdClient;
  readonly network: Sandboxes;
  readonly networks: Pick<Networks, "get" | "validateEndpoint">;
  readonly volumes: VolumeStore;
  readonly logFeeds: LogFeeds;
  readonly images: ImageResolver;
  readonly emit: EmitEvent;
  readonly log: Logger;
  readonly settings: ContainerSettings;
  readonly host: HostFacts;
  readonly store: ContainerStore;
  /** For the records of containers that start and end while the disk is full. */
  readonly space: Pick<Reserve, "spend">;
  /** Where metrics are served. */
  readonly healthObserver?: HealthObserver;
}

/** Is told of each probe of a container's health. */
export interface HealthObserver {
  /** @param seconds that it took until the probe ran */
  begun(seconds: number): void;
  /** @param failed when it could not be carried out, whatever it would have said */
  ended(failed: boolean): void;
}

/** Publishes an event of a container: its labels, its image's name, its own name, and `more`. */
export function emitContainer(
  context: Context,
  container: Container,
  action: string,
  more: Record<string, string> = {},
): void {
  const attributes = {
    ...container.record.Config.Labels,
    image: container.record.Config.Image,
    name: container.name,
    ...more,
  };
  context.emit("container", action, { ID: container.id, Attributes: attributes });
}
