import { InvalidArgument } from "@longshore/errdefs";
import type { Descriptor } from "../image.ts";
import { maxDocumentBytes } from "./documents.ts";

/** What the documents of one image may be, all together. */
export interface WalkLimits {
  /** Indexes in indexes. */
  readonly depth: number;
  readonly documents: number;
  readonly bytes: number;
}

const usual: WalkLimits = { depth: 32, documents: 4096, bytes: 64 << 20 };

/**
 * One walk through an image's indexes and manifests. It remembers where it has been, so that an index which names
 * the same ten times, level by level, is no more work than its blobs are; and it ends where no image goes.
 */
export class DocumentWalk {
  readonly #limits: WalkLimits;
  readonly #seen = new Set<string>();
  #bytes = 0;

  constructor(limits: Partial<WalkLimits> = {}) {
    this.#limits = { ...usual, ...limits };
  }

  /**
   * Comes to a document.
   * @param depth how many indexes lie above it
   * @param way tells apart what is done with it; the same document is visited once for each
   * @returns whether it is to be read: not when the walk has been here before
   * @throws InvalidArgument when the image is too deep, or has too many or too large documents
   */
  enter({ digest, mediaType, size }: Descriptor, depth = 0, way = ""): boolean {
    if (depth > this.#limits.depth)
      throw new InvalidArgument(`${digest}: indexes are nested too deeply: more than ${this.#limits.depth}`);
    const key = `${digest} ${mediaType} ${way}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > this.#limits.documents)
      throw new InvalidArgument(`${digest}: the image has more than ${this.#limits.documents} documents`);
    if (size > maxDocumentBytes)
      throw new InvalidArgument(`${digest}: ${size} bytes are too many for a document: invalid argument`);
    this.#bytes += size;
    if (this.#bytes > this.#limits.bytes)
      throw new InvalidArgument(`${digest}: the image's documents have more than ${this.#limits.bytes} bytes`);
    return true;
  }
}
