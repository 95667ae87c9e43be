import { type Logger, silent } from "@longshore/logger";
import type { Image } from "@longshore/metadata";
import type {
  Applier,
  ArchiveExportOptions,
  ImageArchiver,
  ImageDestination,
  ScopeOpener,
  TransferCall,
  UnpackTarget,
} from "./contract.ts";
import { Downloads, type Source } from "./pull/download.ts";
import type { Environment } from "./environment.ts";
import { type ExportedImages, exportImages } from "./archive/export.ts";
import { importImages } from "./archive/import.ts";
import { pull } from "./pull/pull.ts";
import { type PushedImage, push } from "./push/push.ts";
import { Slots } from "@longshore/concurrency";
import { tag } from "./images/tag.ts";
import { Unpacker } from "./unpack/unpack.ts";
import { unpackImage } from "./unpack/unpack-image.ts";

export interface TransferOptions {
  readonly open: ScopeOpener;
  readonly applier: Applier;
  readonly archiver: ImageArchiver;
  readonly defaultSnapshotter: (namespace: string) => Promise<string>;
  /** Layers fetched at once, over all pulls; 3 as with Docker and containerd. */
  readonly maxConcurrentDownloads?: number;
  /** Blobs sent at once, over all pushes; 5 as with Docker. */
  readonly maxConcurrentUploads?: number;
  readonly log?: Logger;
}

/** Moves images between registries, the image store and archives. */
export class Transfer {
  readonly #environment: Environment;

  constructor(options: TransferOptions) {
    const { open, applier, archiver, defaultSnapshotter, log = silent } = options;
    this.#environment = {
      open,
      archiver,
      defaultSnapshotter,
      log,
      downloads: new Downloads(open),
      downloadSlots: new Slots(options.maxConcurrentDownloads ?? 3),
      uploadSlots: new Slots(options.maxConcurrentUploads ?? 5),
      unpacker: new Unpacker(open, applier),
    };
  }

  /** See `pull`. */
  pull(source: Source, destination: ImageDestination, call: TransferCall): Promise<Image[]> {
    return pull(this.#environment, source, destination, call);
  }

  /** See `push`. */
  push(image: PushedImage, to: Source, call: TransferCall): Promise<void> {
    return push(this.#environment, image, to, call);
  }

  /** See `tag`. */
  tag(source: string, destination: ImageDestination, call: TransferCall): Promise<Image[]> {
    return tag(this.#environment, source, destination, call);
  }

  /** See `unpackImage`. */
  unpack(name: string, target: UnpackTarget, call: TransferCall): Promise<void> {
    return unpackImage(this.#environment, name, target, call);
  }

  /** See `importImages`. */
  import(
    source: AsyncIterable<Uint8Array>,
    options: { readonly forceCompress: boolean },
    destination: ImageDestination,
    call: TransferCall,
  ): Promise<Image[]> {
    return importImages(this.#environment, source, options, destination, call);
  }

  /** See `exportImages`. */
  export(
    images: ExportedImages,
    options: ArchiveExportOptions,
    sink: (content: AsyncIterable<Uint8Array>) => Promise<void>,
    call: TransferCall,
  ): Promise<void> {
    return exportImages(this.#environment, images, options, sink, call);
  }
}
