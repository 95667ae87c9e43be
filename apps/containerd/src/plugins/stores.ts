import { join } from "node:path";
import { ArchiveWorkers, Layers } from "@longshore/archive";
import { LocalStore } from "@longshore/content";
import { Exchange } from "@longshore/events";
import { parseDuration } from "@longshore/go-values";
import { Metadata } from "@longshore/metadata";
import { hostPlatform } from "@longshore/oci";
import { OverlayfsSnapshotter } from "@longshore/snapshots";
import { type Registration, plugin } from "../registry/registration.ts";
import { contentStore, differ, eventExchange, garbageCollection, metadataStore, snapshotter } from "./types.ts";

const nanosecondsOfMs = 1_000_000;

/**
 * What the daemon keeps below its root, each part in the directory that containerd gives it.
 * @param unpackLimit bytes that a layer may unpack to, 0 for as many as the disk has
 */
export function storePlugins(unpackLimit: number): Registration[] {
  return [
    plugin({
      type: contentStore,
      id: "content",
      init(context) {
        context.meta.exports["root"] = context.root;
        return LocalStore.open(context.root);
      },
    }),
    plugin({ type: eventExchange, id: "exchange", init: () => new Exchange() }),
    plugin({
      type: snapshotter,
      id: "overlayfs",
      config: { root_path: "" },
      init(context) {
        const root = context.config.root_path || context.root;
        context.meta.platforms.push(hostPlatform());
        context.meta.exports["root"] = root;
        const overlayfs = new OverlayfsSnapshotter({ root, logger: context.daemon.logger });
        context.onClose(() => overlayfs.close());
        return overlayfs;
      },
    }),
    plugin({
      type: metadataStore,
      id: "sqlite",
      requires: [contentStore, eventExchange, snapshotter],
      async init(context) {
        const snapshotters = context.byType(snapshotter);
        const metadata = await Metadata.open({
          root: context.root,
          content: context.single(contentStore),
          snapshotters: Object.fromEntries(snapshotters),
          publisher: context.single(eventExchange),
          logger: context.daemon.logger,
          gc: "unscheduled",
        });
        context.onClose(() => metadata.close());
        context.meta.exports["path"] = join(context.root, "meta.db");
        const damage = (): string[] => [...metadata.damage(), ...[...snapshotters.values()].flatMap((s) => s.damage())];
        context.meta.exports["damage"] = () => damage().join("\n") || undefined;
        return metadata;
      },
    }),
    plugin({
      type: garbageCollection,
      id: "scheduler",
      requires: [metadataStore],
      config: {
        pause_threshold: 0.02,
        deletion_threshold: 0,
        mutation_threshold: 100,
        schedule_delay: "0s",
        startup_delay: "100ms",
      },
      init(context) {
        const { config, meta } = context;
        const metadata = context.single(metadataStore);
        metadata.scheduleCollections({
          pauseThreshold: config.pause_threshold,
          deletionThreshold: config.deletion_threshold,
          mutationThreshold: config.mutation_threshold,
          scheduleDelayMs: parseDuration(config.schedule_delay) / nanosecondsOfMs,
          startupDelayMs: parseDuration(config.startup_delay) / nanosecondsOfMs,
        });
        Object.assign(meta.exports, {
          PauseThreshold: String(config.pause_threshold),
          DeletionThreshold: String(config.deletion_threshold),
          MutationThreshold: String(config.mutation_threshold),
          ScheduleDelay: config.schedule_delay,
        });
        return metadata;
      },
    }),
    plugin({
      type: differ,
      id: "walking",
      requires: [metadataStore],
      init(context) {
        context.meta.platforms.push(hostPlatform());
        const workers = new ArchiveWorkers();
        context.onClose(() => workers.close());
        return new Layers(workers, join(context.daemon.root, "tmpmounts"), unpackLimit);
      },
    }),
  ];
}
