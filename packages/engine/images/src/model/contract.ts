import type { ImageConfig } from "@longshore/docker-api";
import type { Descriptor, Platform } from "@longshore/oci";

/** An image as a container needs it: one platform's manifest, with its configuration. */
export interface ResolvedImage {
  /** Docker's image ID: the digest of the target (manifest or index). */
  id: string;
  /** The name it was asked by, normalized (`docker.io/library/x:latest`); empty when asked by id. */
  name: string;
  target: Descriptor;
  manifest: Descriptor;
  platform: Platform;
  config: ImageConfig;
  /** Chain ID of the top layer; empty for an image without layers. */
  chainId: string;
}

export interface ImageResolver {
  /**
   * Finds an image by id, id prefix or name.
   * @throws NotFound `No such image: x:latest`
   */
  resolve(refOrId: string, platform?: Platform): Promise<ResolvedImage>;
  /**
   * The ID of the image that a name, id or id prefix means now.
   * @throws NotFound `No such image: x:latest`
   */
  idOf(refOrId: string): Promise<string>;
  /** Sees to it that the snapshot named by the chain ID exists, unpacking the layers if need be. */
  unpack(image: ResolvedImage): Promise<void>;
}

/** A container, as far as images care: what keeps an image from being deleted. */
export interface ContainerUsage {
  id: string;
  /** The image's ID when the container was created. */
  imageId: string;
  /** What the image was asked by then: a name, an ID or the beginning of one. */
  image: string;
  /** Images that are mounted in it, likewise. */
  mounted: readonly { readonly imageId: string; readonly image: string }[];
  running: boolean;
}

/** Progress of a pull, push, load or import: one JSON object of Docker's stream. */
export interface ProgressLine {
  status?: string;
  stream?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number; start?: number; units?: string; hidecounts?: boolean };
  progress?: string;
  aux?: unknown;
}

export type ProgressOutput = (line: ProgressLine) => void;
