import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImplementation } from "@longshore/grpc";
import type { SnapshotInfo } from "@longshore/metadata";
import { type InfoSchema, Kind, type Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { type MetadataDeps, blocks, scopeOf, times } from "../call.ts";
import { mountMessage } from "./mounts.ts";

/** How many snapshots one message of a list carries. */
const listBlock = 100;

const kinds: Record<SnapshotInfo["kind"], Kind> = { active: Kind.ACTIVE, view: Kind.VIEW, committed: Kind.COMMITTED };

export function snapshotsService({ metadata }: MetadataDeps): ServiceImplementation<typeof Snapshots> {
  return {
    async prepare({ snapshotter, key, parent, labels }, context) {
      const mounts = await scopeOf(metadata, context).snapshotter(snapshotter).prepare(key, parent, labels);
      return { mounts: mounts.map(mountMessage) };
    },
    async view({ snapshotter, key, parent, labels }, context) {
      const mounts = await scopeOf(metadata, context).snapshotter(snapshotter).view(key, parent, labels);
      return { mounts: mounts.map(mountMessage) };
    },
    async mounts({ snapshotter, key }, context) {
      return { mounts: (await scopeOf(metadata, context).snapshotter(snapshotter).mounts(key)).map(mountMessage) };
    },
    async commit({ snapshotter, name, key, labels }, context) {
      await scopeOf(metadata, context).snapshotter(snapshotter).commit(name, key, labels);
      return {};
    },
    async remove({ snapshotter, key }, context) {
      await scopeOf(metadata, context).snapshotter(snapshotter).remove(key);
      return {};
    },
    async stat({ snapshotter, key }, context) {
      return { info: infoMessage(await scopeOf(metadata, context).snapshotter(snapshotter).stat(key)) };
    },
    async update({ snapshotter, info, updateMask }, context) {
      const change = { name: info?.name ?? "", labels: info?.labels ?? {} };
      return {
        info: infoMessage(
          await scopeOf(metadata, context)
            .snapshotter(snapshotter)
            .update(change, updateMask?.paths ?? []),
        ),
      };
    },
    async *list({ snapshotter, filters }, context) {
      const infos = scopeOf(metadata, context).snapshotter(snapshotter).list(filters);
      for await (const block of blocks(infos, listBlock)) yield { info: block.map(infoMessage) };
    },
    async usage({ snapshotter, key }, context) {
      const { size, inodes } = await scopeOf(metadata, context).snapshotter(snapshotter).usage(key);
      return { size: BigInt(size), inodes: BigInt(inodes) };
    },
    async cleanup({ snapshotter }, context) {
      await scopeOf(metadata, context).snapshotter(snapshotter).cleanup?.();
      return {};
    },
  };
}

function infoMessage(info: SnapshotInfo): MessageInitShape<typeof InfoSchema> {
  const { name, parent, kind, labels } = info;
  return { name, parent, kind: kinds[kind], labels, ...times(info) };
}
