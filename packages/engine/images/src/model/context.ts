import type { ContainerdClient } from "@longshore/containerd-client";
import type { AuthConfig, EmitEvent } from "@longshore/docker-api";
import type { Logger } from "@longshore/logger";
import type { Platform } from "@longshore/oci";
import type { Connections, RegistryHosts } from "@longshore/remotes";
import type { ContainerUsage } from "./contract.ts";

/** What every operation on images works with. */
export interface ImagesContext {
  readonly containerd: ContainerdClient;
  /** Tells this engine's leases from others': its data root. */
  readonly owner: string;
  readonly snapshotter: string;
  /** This machine's platform, preferred where there is a choice. */
  readonly platform: Platform;
  /** All containers, stopped ones too. */
  readonly containers: () => readonly ContainerUsage[];
  /** Where registries are, by the engine's configuration. */
  readonly registryHosts: RegistryHosts;
  /** Folder in which containerd is told of them, one folder each. */
  readonly hostsDir: string;
  readonly connections: Connections;
  /** Blobs moved at once, as the configuration has them at the time of asking. */
  readonly limits: { readonly downloads: number; readonly uploads: number };
  /** `longshore/1.2.3` */
  readonly userAgent: string;
  readonly emit: EmitEvent;
  readonly log: Logger;
}

/** In whose name a registry is asked, and until when. */
export interface RegistryCall {
  readonly auth: AuthConfig;
  /** Passed to the registry: Docker's `X-Meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}
