import type { Provider, Store } from "@longshore/content";
import type { CallScope, Mount, Scope } from "@longshore/metadata";
import type { Descriptor, Platform } from "@longshore/oci";

/** Gives the stores of a namespace, bound to a lease. */
export type ScopeOpener = (call: CallScope) => Scope;

/** Unpacks one layer; containerd's differ. */
export interface Applier {
  /**
   * Applies the layer to what the mounts show.
   * @returns the digest and size of the uncompressed tar
   * @throws InvalidArgument for a layer that leads out of its root or is malformed
   */
  apply(
    content: Provider,
    layer: Descriptor,
    mounts: readonly Mount[],
    signal?: AbortSignal,
  ): Promise<{ diffId: string; size: number }>;
}

/** An image in an archive: its manifest or index, with `io.containerd.image.name` and `org.opencontainers.image.ref.name` as annotations. */
export type ArchivedImage = Descriptor;

export interface ArchiveExportOptions {
  /** What of an index is written; absent: all that is there. */
  readonly platforms?: readonly Platform[];
  /** Leave out Docker's `manifest.json`. */
  readonly skipCompatibilityManifest: boolean;
  /** Leave out layers that may not be passed on. */
  readonly skipNonDistributable: boolean;
}

/** Reads and writes images as one stream (docker-archive and OCI layout in a tar). */
export interface ImageArchiver {
  /** Stores the blobs and tells what images there are, and the index (not stored) that names them all. @throws InvalidArgument for an archive that is malformed or ends early */
  read(
    source: AsyncIterable<Uint8Array>,
    content: Store,
    options: { forceCompress: boolean; signal?: AbortSignal },
  ): Promise<{ images: ArchivedImage[]; index: Uint8Array }>;
  write(images: readonly ArchivedImage[], content: Provider, options: ArchiveExportOptions): AsyncIterable<Uint8Array>;
}

/** One message of a transfer's progress; the names are containerd's. */
export interface Progress {
  event: string;
  /** What it is about: an image's name or `layer-sha256:…`. */
  name?: string;
  parents?: string[];
  /** Bytes done. */
  progress?: number;
  /** Bytes in all. */
  total?: number;
  desc?: Descriptor;
}

export type ProgressSink = (progress: Progress) => void;

export interface UnpackTarget {
  /** Without an operating system: every platform. */
  readonly platform: Platform;
  /** Empty for the namespace's default. */
  readonly snapshotter: string;
}

/** Which of an index's manifests are wanted, and what of the others. */
export interface ImageSelection {
  /** In order of preference; empty for all. */
  readonly platforms: readonly Platform[];
  /** Also manifests and configurations of other platforms, without their layers. */
  readonly allMetadata: boolean;
  /** How many of the matching manifests; 0 for all. */
  readonly manifestLimit: number;
}

/** A name that an image is to get when it is stored; see containerd's transfer API. */
export interface ReferenceRule {
  readonly name: string;
  readonly isPrefix: boolean;
  readonly allowOverwrite: boolean;
  readonly addDigest: boolean;
  readonly skipNamedDigest: boolean;
}

/** The destination `ImageStore` of a transfer. */
export interface ImageDestination extends ImageSelection {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly extraReferences: readonly ReferenceRule[];
  readonly unpacks: readonly UnpackTarget[];
}

/** In whose name, how far it is told, and until when. */
export interface TransferCall extends CallScope {
  readonly progress: ProgressSink;
  /** Blobs moved at once, over all calls that ask for the same number; absent: as the daemon is set. */
  readonly concurrency?: number;
  readonly signal: AbortSignal;
}
