import { type Block, isZeroBlock, parseBlock } from "./block.ts";
import { InvalidTarHeader, UnexpectedEof } from "./errors.ts";
import { blockSize, maxMetaBytes, paddingOf, type SparseChunk, type TarHeader } from "./header.ts";
import { Overrides } from "./overrides.ts";
import { SparseMap, checkSparse, gnuSparseExtension, gnuSparseHeader, maxSparseChunks } from "./sparse.ts";

/** `entry` opens an entry, any number of `data` follow, `end` closes it. */
export type TarEvent = { kind: "entry"; header: TarHeader } | { kind: "data"; bytes: Buffer } | { kind: "end" };

type Collecting = "header" | "meta" | "gnu-sparse" | "sparse-map";
interface Entry {
  header: TarHeader;
  stored: number;
}

/**
 * A tar parser that is fed chunks of any size and answers with events, synchronously, without
 * copying data. Reads v7, ustar, PAX and GNU archives with long names and all forms of sparse files.
 */
export class TarParser {
  readonly #overrides = new Overrides();
  #state: Collecting | "data" | "skip" | "done" = "header";
  /** Bytes that the state still asks for. */
  #want = blockSize;
  #parts: Buffer[] = [];
  #metaFlag = "";
  #metaSize = 0;
  #entry: Entry | undefined;
  #chunks: SparseChunk[] = [];
  #map = new SparseMap();
  #padding = 0;
  #zeroBlocks = 0;

  /** Whether the end-of-archive mark has been read; what follows is ignored. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** @throws InvalidTarHeader */
  *feed(chunk: Buffer): Generator<TarEvent> {
    let at = 0;
    while (at < chunk.length && this.#state !== "done") {
      const bytes = at === 0 && chunk.length <= this.#want ? chunk : chunk.subarray(at, at + this.#want);
      at += bytes.length;
      this.#want -= bytes.length;
      if (this.#state === "data") {
        yield { kind: "data", bytes };
        if (this.#want === 0) yield* this.#endEntry();
      } else if (this.#state === "skip") {
        if (this.#want === 0) this.#collect("header", blockSize);
      } else if (this.#want > 0) {
        this.#parts.push(Buffer.from(bytes));
      } else {
        const whole = this.#parts.length === 0 ? bytes : Buffer.concat([...this.#parts, bytes]);
        this.#parts = [];
        yield* this.#collected(this.#state, whole);
      }
    }
  }

  /** Call at the end of the input. @throws UnexpectedEof inside a header or an entry's data */
  end(): void {
    const atBoundary = this.#state === "header" && this.#want === blockSize && this.#metaFlag === "";
    // Neither the end mark nor the padding of the last entry is missed by anyone.
    if (!atBoundary && this.#state !== "done" && this.#state !== "skip") throw new UnexpectedEof();
  }

  #collect(state: Collecting, bytes: number): void {
    this.#state = state;
    this.#want = bytes;
  }

  *#collected(state: Collecting, bytes: Buffer): Generator<TarEvent> {
    if (state === "header") yield* this.#block(bytes);
    else if (state === "meta") this.#meta(bytes);
    else if (state === "gnu-sparse") yield* this.#gnuSparse(bytes);
    else yield* this.#sparseMap(bytes);
  }

  *#block(bytes: Buffer): Generator<TarEvent> {
    this.#collect("header", blockSize);
    if (isZeroBlock(bytes)) {
      if (++this.#zeroBlocks === 2) this.#state = "done";
      return;
    }
    // A lone zero block is no end of archive, and nothing that may stand between entries.
    if (this.#zeroBlocks > 0) throw new InvalidTarHeader();
    const block = parseBlock(bytes);
    if (block.flag === "x" || block.flag === "g" || block.flag === "L" || block.flag === "K") {
      if (block.size > maxMetaBytes) throw new InvalidTarHeader();
      this.#metaFlag = block.flag;
      this.#metaSize = block.size;
      if (block.size > 0) this.#collect("meta", block.size + paddingOf(block.size));
      else this.#meta(bytes);
      return;
    }
    this.#metaFlag = "";
    yield* this.#start(block, bytes);
  }

  #meta(padded: Buffer): void {
    const body = padded.subarray(0, this.#metaSize);
    if (this.#metaFlag === "g") {
      this.#overrides.addGlobal(body);
      this.#metaFlag = "";
    } else if (this.#metaFlag === "x") this.#overrides.addLocal(body);
    else {
      const end = body.indexOf(0);
      const text = body.toString("latin1", 0, end < 0 ? body.length : end);
      if (this.#metaFlag === "L") this.#overrides.longName = text;
      else this.#overrides.longLink = text;
    }
    this.#collect("header", blockSize);
  }

  *#start(block: Block, bytes: Buffer): Generator<TarEvent> {
    const { header, stored, sparseMap } = this.#overrides.apply(block);
    this.#overrides.reset();
    // Only files have data; a size on a link or a directory says nothing.
    const hasData = header.type === "file" || header.type === "unknown";
    if (!hasData) header.size = 0;
    this.#entry = { header, stored: hasData ? stored : 0 };
    // Before POSIX, a directory was a file whose name ends in a slash; its data, if any, mean nothing.
    if (header.flag === "\0" && header.name.endsWith("/")) header.type = "directory";
    if (block.flag === "S") {
      const { chunks, realSize, extended } = gnuSparseHeader(bytes);
      this.#chunks = chunks;
      if (realSize < 0) throw new InvalidTarHeader();
      header.size = realSize;
      if (extended) this.#collect("gnu-sparse", blockSize);
      else yield* this.#open(chunks);
    } else if (sparseMap) {
      this.#map = new SparseMap();
      this.#collect("sparse-map", blockSize);
    } else yield* this.#open(header.sparse);
  }

  *#gnuSparse(bytes: Buffer): Generator<TarEvent> {
    const { chunks, extended } = gnuSparseExtension(bytes);
    this.#chunks.push(...chunks);
    if (this.#chunks.length > maxSparseChunks) throw new InvalidTarHeader();
    if (extended) this.#collect("gnu-sparse", blockSize);
    else yield* this.#open(this.#chunks);
  }

  *#sparseMap(bytes: Buffer): Generator<TarEvent> {
    const entry = this.#entry as Entry;
    entry.stored -= blockSize;
    if (entry.stored < 0) throw new InvalidTarHeader();
    const chunks = this.#map.add(bytes.toString("latin1"));
    if (chunks === undefined) this.#collect("sparse-map", blockSize);
    else yield* this.#open(chunks);
  }

  *#open(sparse: SparseChunk[] | undefined): Generator<TarEvent> {
    const { header, stored } = this.#entry as Entry;
    if (sparse !== undefined) {
      checkSparse(sparse, header.size, stored);
      header.sparse = sparse;
    }
    this.#padding = paddingOf(stored);
    yield { kind: "entry", header };
    if (stored === 0) yield* this.#endEntry();
    else {
      this.#state = "data";
      this.#want = stored;
    }
  }

  *#endEntry(): Generator<TarEvent> {
    this.#entry = undefined;
    if (this.#padding > 0) {
      this.#state = "skip";
      this.#want = this.#padding;
    } else this.#collect("header", blockSize);
    yield { kind: "end" };
  }
}
