import type { Layers } from "@longshore/archive";
import type { Store } from "@longshore/content";
import type { Exchange } from "@longshore/events";
import type { BoundService } from "@longshore/grpc";
import type { Metadata } from "@longshore/metadata";
import type { Connections, RegistryHosts } from "@longshore/remotes";
import type { RuntimeDeps, SandboxManager, TaskManager } from "@longshore/runtime";
import type { Snapshotter } from "@longshore/snapshots";
import type { Transfer } from "@longshore/transfer";
import { pluginType } from "../registry/registration.ts";
import type { StreamRegistry } from "../services/transfer/streams.ts";

/** A snapshotter that knows what of its records was lost. */
export type LocalSnapshotter = Snapshotter & { damage(): string[] };

/** What shims are started with, and what containerd's records say of the bundles that it finds at its start. */
export interface ShimManager {
  runtime: RuntimeDeps;
  hasSandbox(namespace: string, id: string): Promise<boolean>;
  /** The runtime's name in a container's record. @throws NotFound */
  runtimeOf(namespace: string, id: string): Promise<string>;
}

/** Moves images; and how registries are reached about whose hosts the client says nothing. */
export interface TransferService {
  transfer: Transfer;
  /** Shared by all transfers. */
  connections: Connections;
  hosts: RegistryHosts;
}

/** The open streams, and the folder for the sockets of those whose bytes go over one. */
export interface Streams {
  streams: StreamRegistry;
  byteSockets: string;
}

// containerd's names of its types of plugins.
export const contentStore = pluginType<Store>("io.containerd.content.v1");
export const eventExchange = pluginType<Exchange>("io.containerd.event.v1");
export const snapshotter = pluginType<LocalSnapshotter>("io.containerd.snapshotter.v1");
export const metadataStore = pluginType<Metadata>("io.containerd.metadata.v1");
export const garbageCollection = pluginType<Metadata>("io.containerd.gc.v1");
export const differ = pluginType<Layers>("io.containerd.differ.v1");
export const sandboxStore = pluginType<Metadata>("io.containerd.sandbox.store.v1");
export const shimManager = pluginType<ShimManager>("io.containerd.shim.v1");
export const runtime = pluginType<TaskManager>("io.containerd.runtime.v2");
export const sandboxController = pluginType<SandboxManager>("io.containerd.sandbox.controller.v1");
export const transferService = pluginType<TransferService>("io.containerd.transfer.v1");
export const streaming = pluginType<Streams>("io.containerd.streaming.v1");
/** Services of the socket on which shims publish. */
export const ttrpcService = pluginType<{ address: string }>("io.containerd.ttrpc.v1");
/** Services of the daemon's socket. */
export const grpcService = pluginType<BoundService>("io.containerd.grpc.v1");
