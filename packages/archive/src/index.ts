export { ArchiveWorkers, type ArchiveWorkersOptions } from "./worker/pool.ts";
export { Layers, type BlobFiles, type LayerDiffOptions } from "./layers/layers.ts";
export type { Applied } from "./apply/apply.ts";
export type { Diffed } from "./diff/diff.ts";
export type { ChangeKind, PathChange } from "./diff/change.ts";
export { FileArchiver } from "./files/file-archiver.ts";
export type { PackOptions } from "./files/pack.ts";
export type { UnpackOptions } from "./files/unpack.ts";
export type { PathStat } from "./files/stat.ts";
