import { join } from "node:path";
import { ArchiveWorkers, Layers } from "@longshore/archive";
import { LocalStore } from "@longshore/content";
import { Exchange } from "@longshore/events";
import type { Logger } from "@longshore/logger";
import { Metadata } from "@longshore/metadata";
import { Connections } from "@longshore/remotes";
import { OverlayfsSnapshotter } from "@longshore/snapshots";
import { endFormerTransfers } from "@longshore/transfer";

/** What the daemon keeps below its root, each part in the directory that containerd gives it. */
export interface Stores {
  exchange: Exchange;
  metadata: Metadata;
  layers: Layers;
  /** To registries, shared by all transfers. */
  connections: Connections;
  /** What was found damaged and set aside, in words. */
  damage(): string[];
  close(): Promise<void>;
}

export const contentDir = "io.containerd.content.v1.content";
export const overlayfsDir = "io.containerd.snapshotter.v1.overlayfs";
const metadataDir = "io.containerd.metadata.v1.sqlite";

/** @param limit bytes that a layer may unpack to, 0 for as many as the disk has */
export async function openStores(root: string, logger: Logger, limit: number): Promise<Stores> {
  const exchange = new Exchange();
  const content = await LocalStore.open(join(root, contentDir));
  const overlayfs = new OverlayfsSnapshotter({ root: join(root, overlayfsDir), logger });
  const metadata = await Metadata.open({
    root: join(root, metadataDir),
    content,
    snapshotters: { overlayfs },
    publisher: exchange,
    logger,
  });
  await endFormerTransfers(metadata);
  const workers = new ArchiveWorkers();
  const connections = new Connections();
  return {
    exchange,
    metadata,
    layers: new Layers(workers, join(root, "tmpmounts"), limit),
    connections,
    damage: () => [...metadata.damage(), ...overlayfs.damage()],
    async close() {
      await connections[Symbol.asyncDispose]();
      await workers.close();
      await metadata.close();
      await overlayfs.close();
    },
  };
}
