import { implement } from "@longshore/grpc";
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
import { Transfer } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import { Health } from "@longshore/proto/grpc/health/v1/health";
import { type Registration, plugin } from "../registry/registration.ts";
import { apiVersion, revision } from "../release.ts";
import { containersService } from "../services/containers.ts";
import { contentService } from "../services/content/content.ts";
import { diffService } from "../services/content/diff.ts";
import { snapshotsService } from "../services/content/snapshots.ts";
import { eventsService } from "../services/events.ts";
import { healthService } from "../services/health.ts";
import { imagesService } from "../services/images.ts";
import { introspectionService } from "../services/introspection.ts";
import { leasesService } from "../services/leases.ts";
import { namespacesService } from "../services/namespaces.ts";
import { sandboxControllerService } from "../services/tasks/sandbox-controller.ts";
import { sandboxesService } from "../services/tasks/sandboxes.ts";
import { tasksService } from "../services/tasks/tasks.ts";
import { streamingService } from "../services/transfer/streaming.ts";
import { transferService as transferOf } from "../services/transfer/transfer.ts";
import { versionService } from "../services/version.ts";
import {
  differ,
  eventExchange,
  grpcService,
  metadataStore,
  runtime,
  sandboxController,
  sandboxStore,
  streaming,
  transferService,
} from "./types.ts";

/** The services of the daemon's socket, each a plugin over those that do the work. */
export function grpcPlugins(): Registration[] {
  const type = grpcService;
  return [
    plugin({
      type,
      id: "containers",
      requires: [metadataStore, eventExchange],
      init: (context) =>
        implement(
          Containers,
          containersService({ metadata: context.single(metadataStore), publisher: context.single(eventExchange) }),
        ),
    }),
    plugin({
      type,
      id: "content",
      requires: [metadataStore],
      init: (context) => implement(Content, contentService({ metadata: context.single(metadataStore) })),
    }),
    plugin({
      type,
      id: "diff",
      requires: [metadataStore, differ],
      init: (context) =>
        implement(Diff, diffService({ metadata: context.single(metadataStore), layers: context.single(differ) })),
    }),
    plugin({
      type,
      id: "events",
      requires: [eventExchange],
      init: (context) => implement(Events, eventsService({ exchange: context.single(eventExchange) })),
    }),
    plugin({
      type,
      id: "images",
      requires: [metadataStore],
      init: (context) => implement(Images, imagesService({ metadata: context.single(metadataStore) })),
    }),
    plugin({
      type,
      id: "introspection",
      init: ({ daemon: { root }, plugins }) => implement(Introspection, introspectionService({ root, plugins })),
    }),
    plugin({
      type,
      id: "leases",
      requires: [metadataStore],
      init: (context) => implement(Leases, leasesService({ metadata: context.single(metadataStore) })),
    }),
    plugin({
      type,
      id: "namespaces",
      requires: [metadataStore, eventExchange],
      init: (context) =>
        implement(
          Namespaces,
          namespacesService({ metadata: context.single(metadataStore), publisher: context.single(eventExchange) }),
        ),
    }),
    plugin({
      type,
      id: "sandbox-controllers",
      requires: [sandboxController, eventExchange],
      init: (context) =>
        implement(
          SandboxController,
          sandboxControllerService({
            sandboxes: context.single(sandboxController),
            publisher: context.single(eventExchange),
          }),
        ),
    }),
    plugin({
      type,
      id: "sandboxes",
      requires: [sandboxStore],
      init: (context) => implement(Sandboxes, sandboxesService({ metadata: context.single(sandboxStore) })),
    }),
    plugin({
      type,
      id: "snapshots",
      requires: [metadataStore],
      init: (context) => implement(Snapshots, snapshotsService({ metadata: context.single(metadataStore) })),
    }),
    plugin({
      type,
      id: "streaming",
      requires: [streaming],
      init(context) {
        const { streams, byteSockets } = context.single(streaming);
        return implement(Streaming, streamingService(streams, byteSockets));
      },
    }),
    plugin({
      type,
      id: "tasks",
      requires: [metadataStore, differ, runtime, sandboxController],
      init: (context) =>
        implement(
          Tasks,
          tasksService({
            metadata: context.single(metadataStore),
            layers: context.single(differ),
            tasks: context.single(runtime),
            sandboxes: context.single(sandboxController),
            logger: context.daemon.logger,
          }),
        ),
    }),
    plugin({
      type,
      id: "transfer",
      requires: [transferService, streaming],
      init(context) {
        const { transfer, connections, hosts } = context.single(transferService);
        return implement(
          Transfer,
          transferOf({
            transfer,
            connections,
            hosts,
            streams: context.single(streaming).streams,
            userAgent: `longshore/${apiVersion.replace(/^v/, "")}`,
            log: context.daemon.logger,
          }),
        );
      },
    }),
    plugin({ type, id: "version", init: () => implement(Version, versionService({ version: apiVersion, revision })) }),
    plugin({ type, id: "healthcheck", init: () => implement(Health, healthService()) }),
  ];
}
