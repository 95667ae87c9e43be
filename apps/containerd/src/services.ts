import { ImageArchives } from "@longshore/archive";
import { type BoundService, implement } from "@longshore/grpc";
import type { Logger } from "@longshore/logger";
import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { Content } from "@longshore/proto/containerd/services/content/v1/content";
import { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { Events } from "@longshore/proto/containerd/services/events/v1/events";
import { Images } from "@longshore/proto/containerd/services/images/v1/images";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import {
  Controller as SandboxController,
  Store as Sandboxes,
} from "@longshore/proto/containerd/services/sandbox/v1/sandbox";
import { Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import { Transfer as TransferDesc } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import { Health } from "@longshore/proto/grpc/health/v1/health";
import { dockerHosts, hostsDirHosts } from "@longshore/remotes";
import type { SandboxManager, TaskManager } from "@longshore/runtime";
import { Transfer } from "@longshore/transfer";
import { plugins } from "./plugins.ts";
import { containersService } from "./services/containers.ts";
import { contentService } from "./services/content/content.ts";
import { diffService } from "./services/content/diff.ts";
import { eventsService } from "./services/events.ts";
import { healthService } from "./services/health.ts";
import { imagesService } from "./services/images.ts";
import { introspectionService } from "./services/introspection.ts";
import { leasesService } from "./services/leases.ts";
import { namespacesService } from "./services/namespaces.ts";
import { sandboxControllerService } from "./services/tasks/sandbox-controller.ts";
import { sandboxesService } from "./services/tasks/sandboxes.ts";
import { snapshotsService } from "./services/content/snapshots.ts";
import { streamingService } from "./services/transfer/streaming.ts";
import { StreamRegistry } from "./services/transfer/streams.ts";
import { tasksService } from "./services/tasks/tasks.ts";
import { transferService } from "./services/transfer/transfer.ts";
import { versionService } from "./services/version.ts";
import type { Stores } from "./stores.ts";
import { apiVersion, revision } from "./release.ts";

export interface ServicesDeps extends Omit<Stores, "close"> {
  root: string;
  /** Folder for the sockets of byte streams. */
  byteSockets: string;
  /** Bytes that an image archive may unpack to; 0 for as many as the disk has. */
  unpackLimit: number;
  tasks: TaskManager;
  sandboxes: SandboxManager;
  logger: Logger;
}

/** All services of the gRPC socket. */
export function services({
  root,
  byteSockets,
  unpackLimit,
  damage,
  exchange,
  metadata,
  layers,
  connections,
  tasks,
  sandboxes,
  logger,
}: ServicesDeps): BoundService[] {
  const publisher = exchange;
  const streams = new StreamRegistry();
  const transfer = new Transfer({
    open: (call) => metadata.scope(call),
    applier: layers,
    archiver: new ImageArchives(unpackLimit),
    defaultSnapshotter: async (namespace) =>
      (await metadata.namespaces.labels(namespace))["containerd.io/defaults/snapshotter"] || "overlayfs",
    log: logger,
  });
  return [
    implement(Version, versionService({ version: apiVersion, revision })),
    implement(Health, healthService()),
    implement(Introspection, introspectionService({ root, plugins: () => plugins(root, damage()) })),
    implement(Events, eventsService({ exchange })),
    implement(Namespaces, namespacesService({ metadata, publisher })),
    implement(Containers, containersService({ metadata, publisher })),
    implement(Sandboxes, sandboxesService({ metadata })),
    implement(SandboxController, sandboxControllerService({ sandboxes, publisher })),
    implement(Content, contentService({ metadata })),
    implement(Images, imagesService({ metadata })),
    implement(Leases, leasesService({ metadata })),
    implement(Snapshots, snapshotsService({ metadata })),
    implement(Diff, diffService({ metadata, layers })),
    implement(Tasks, tasksService({ metadata, layers, tasks, sandboxes, logger })),
    implement(Streaming, streamingService(streams, byteSockets)),
    implement(
      TransferDesc,
      transferService({
        transfer,
        streams,
        connections,
        hosts: hostsDirHosts(["/etc/containerd/certs.d"], dockerHosts()),
        userAgent: `longshore/${apiVersion.replace(/^v/, "")}`,
        log: logger,
      }),
    ),
  ];
}
