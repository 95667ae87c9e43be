export type { Kind, Mount, SnapshotInfo, Snapshotter, Usage } from "./contract.ts";
export { OverlayfsSnapshotter, type OverlayfsOptions } from "./overlayfs.ts";
