import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { NotImplemented } from "@longshore/errdefs";
import { type Descriptor, mediaTypes } from "@longshore/oci";
import type { MountSpec } from "@longshore/sys";
import type { Applied, ApplyOptions } from "../apply/apply.ts";
import type { PathChange } from "../diff/change.ts";
import type { DiffOptions, Diffed } from "../diff/diff.ts";
import { byteString } from "../tar/header.ts";
import type { ArchiveWorkers } from "../worker/pool.ts";
import { bindSource, overlayFolders, mountTemporarily, sweepMounts } from "./mounts.ts";
import { openTrees } from "./trees.ts";

/** What is needed of a content store to unpack a layer. */
export interface BlobFiles {
  /** The file that holds the blob. @throws NotFound */
  path(digest: string): Promise<string>;
}

export interface LayerDiffOptions {
  /** `""` for a gzipped OCI layer. */
  mediaType: string;
  /** The time of deletions, and the latest time of all else. */
  sourceDateEpoch?: Date | undefined;
  signal?: AbortSignal | undefined;
}

const compressions: Record<string, DiffOptions["compression"]> = {
  [mediaTypes.ociLayer]: "uncompressed",
  [mediaTypes.ociLayerGzip]: "gzip",
  [mediaTypes.ociLayerZstd]: "zstd",
  [mediaTypes.dockerLayer]: "uncompressed",
  [mediaTypes.dockerLayerGzip]: "gzip",
};

/** Layers to file trees and back, on worker threads; several may be asked for at a time. */
export class Layers {
  readonly #workers: ArchiveWorkers;
  readonly #mountFolder: string;
  readonly #limit: number;

  /**
   * @param mountFolder for temporary mounts; one that no other process uses, since what a killed process
   *   left mounted there is unmounted. Default: the system's folder, which is left alone
   * @param limit bytes that a layer may unpack to, 0 for as many as the disk has
   */
  constructor(workers: ArchiveWorkers, mountFolder?: string, limit = 0) {
    this.#workers = workers;
    this.#limit = limit;
    this.#mountFolder = mountFolder ?? tmpdir();
    if (mountFolder === undefined) return;
    mkdirSync(mountFolder, { recursive: true, mode: 0o700 });
    sweepMounts(mountFolder);
  }

  /**
   * Unpacks a layer (gzip, zstd or plain, as its bytes tell) onto mounts. An overlay, or a bind mount,
   * is written to directly, without mounting. What a failed call has made stays: drop the snapshot.
   * @returns digest and size of the uncompressed tar
   * @throws Unknown with Docker's message, e.g. `invalid entry name "../x"`, `unexpected EOF`
   */
  async apply(
    content: BlobFiles,
    layer: Pick<Descriptor, "digest" | "mediaType">,
    mounts: readonly MountSpec[],
    signal?: AbortSignal,
    syncFs = false,
  ): Promise<Applied> {
    checkMediaType(layer.mediaType);
    const path = await content.path(layer.digest);
    const run = (target: Omit<ApplyOptions, "syncFs" | "limit">): Promise<Applied> =>
      this.#workers.run("apply", { ...target, path, syncFs, limit: this.#limit }, { signal });
    const overlay = overlayFolders(mounts);
    if (overlay?.upper !== undefined)
      return run({ root: byteString(overlay.upper), whiteouts: "overlay", lowers: overlay.lowers.map(byteString) });
    const bind = bindSource(mounts);
    if (bind !== undefined && !bind.readonly)
      return run({ root: byteString(bind.source), whiteouts: "remove", lowers: [] });
    const { root, close } = mountTemporarily(mounts, this.#mountFolder);
    try {
      return await run({ root: byteString(root), whiteouts: "remove", lowers: [] });
    } finally {
      close();
    }
  }

  /** The names that differ between two states, as `docker diff` lists them: `/a/b`, folders before what they hold. */
  async changes(left: readonly MountSpec[], right: readonly MountSpec[], signal?: AbortSignal): Promise<PathChange[]> {
    const { trees, close } = openTrees(left, right, this.#mountFolder);
    try {
      return await this.#workers.run("changes", { trees }, { signal });
    } finally {
      close();
    }
  }

  /**
   * Streams the layer that leads from `left` to `right`; the generator returns digest and size of the
   * uncompressed tar.
   * @throws NotImplemented for a media type that is no layer
   */
  async *diff(
    left: readonly MountSpec[],
    right: readonly MountSpec[],
    { mediaType, sourceDateEpoch, signal }: LayerDiffOptions,
  ): AsyncGenerator<Buffer, Diffed> {
    const compression = compressions[mediaType || mediaTypes.ociLayerGzip];
    if (compression === undefined)
      throw new NotImplemented(`unsupported diff media type: ${mediaType}: not implemented`);
    const epoch = sourceDateEpoch && Math.floor(sourceDateEpoch.getTime() / 1000);
    const { trees, close } = openTrees(left, right, this.#mountFolder);
    try {
      return yield* this.#workers.stream("diff", { trees, compression, sourceDateEpoch: epoch }, signal);
    } finally {
      close();
    }
  }
}

/** Media types with a suffix that is no compression hold something else than a plain layer. */
function checkMediaType(mediaType: string): void {
  const suffix = /\+([^+]+)$/.exec(mediaType)?.[1];
  if (suffix !== undefined && suffix !== "gzip" && suffix !== "zstd") {
    throw new NotImplemented(`currently unsupported media type: ${mediaType}: not implemented`);
  }
}
