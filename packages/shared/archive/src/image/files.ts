import { posix } from "node:path";
import { InvalidArgument } from "@longshore/errdefs";
import { decompress } from "../compression/decompress.ts";
import { cleanName } from "../extract/path.ts";
import { KeptMemory } from "../limits/memory.ts";
import { type TarHeader, textOf } from "../tar/header.ts";
import { BadArchive } from "../tar/errors.ts";
import { TarParser } from "../tar/parser.ts";
import type { Blob, BlobStore } from "./blobs.ts";
import { maxArchiveDocument } from "./documents.ts";
import { Ingest } from "./ingest.ts";

/** Blobs that are being brought to the disk while the next ones are read: their syncs then share the disk's work. */
const maxCommits = 8;

/** Files and links that an image archive may have: each is remembered until the archive has ended. */
const maxFiles = 1 << 16;

const documents = new Set(["oci-layout", "index.json", "manifest.json"]);

/** The files of an image archive: its documents in memory, all else as blobs in the store. */
export class ArchiveFiles {
  readonly documents = new Map<string, Buffer>();
  readonly #blobs = new Map<string, Blob>();
  readonly #links = new Map<string, string>();
  readonly #kept = new KeptMemory();

  /** @throws InvalidArgument when there are too many, BadArchive when their names are too long together */
  #check(...names: readonly string[]): void {
    if (this.#blobs.size + this.#links.size >= maxFiles)
      throw new InvalidArgument(`the archive has more than ${maxFiles} files`);
    this.#kept.keep(...names);
  }

  /** @throws InvalidArgument when there are too many files */
  add(name: string, blob: Blob): void {
    this.#check(name);
    this.#blobs.set(name, blob);
  }

  addLink(name: string, target: string): void {
    this.#check(name, target);
    this.#links.set(name, target);
  }

  /** The blob of a file, links followed. @throws InvalidArgument `open x: no such file or directory` */
  get(name: string): Blob {
    let at = posix.normalize(name);
    for (let links = 0; links < 40; links++) {
      const blob = this.#blobs.get(at);
      if (blob !== undefined) return blob;
      const target = this.#links.get(at);
      if (target === undefined) break;
      at = target;
    }
    throw new InvalidArgument(`open ${name}: no such file or directory`);
  }
}

/** The digest that a file's name promises, "" when it promises none. */
function promisedDigest(name: string): string {
  const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
  return algorithm === "sha256" && hex?.length === 64 ? `${algorithm}:${hex}` : "";
}

/**
 * Reads an image archive to its end; blobs go straight to the store.
 * @throws UnexpectedEof, InvalidTarHeader, FailedPrecondition for a blob that is not what its name says
 */
export async function readArchiveFiles(
  source: AsyncIterable<Uint8Array>,
  blobs: BlobStore,
  signal?: AbortSignal,
  limit = 0,
): Promise<ArchiveFiles> {
  const files = new ArchiveFiles();
  const parser = new TarParser();
  const commits = new Commits();
  let current: OpenFile | undefined;
  let unpacked = 0;
  try {
    for await (const chunk of decompress(source)) {
      signal?.throwIfAborted();
      unpacked += chunk.length;
      if (limit > 0 && unpacked > limit) throw new BadArchive(`the archive unpacks to more than ${limit} bytes`);
      for (const event of parser.feed(chunk)) {
        if (event.kind === "entry") current = await open(event.header, files, blobs, commits);
        else if (event.kind === "data") await current?.write(event.bytes);
        else {
          await current?.end();
          current = undefined;
        }
      }
    }
    parser.end();
  } finally {
    await current?.abort();
    await commits.settled();
  }
  commits.check();
  return files;
}

/** Commits under way beside the reading. */
class Commits {
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  /** Waits while too many are under way. @throws what went wrong with an earlier one */
  async add(commit: () => Promise<void>): Promise<void> {
    while (this.#running.size >= maxCommits) await Promise.race(this.#running);
    this.check();
    const running = commit()
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** A file of the archive while its data come in. */
interface OpenFile {
  write(data: Buffer): Promise<void>;
  end(): Promise<void>;
  abort(): Promise<void>;
}

async function open(
  header: TarHeader,
  files: ArchiveFiles,
  blobs: BlobStore,
  commits: Commits,
): Promise<OpenFile | undefined> {
  const clean = cleanName(header.name);
  if (clean === undefined) throw new InvalidArgument(`invalid entry name "${textOf(header.name)}"`);
  const name = textOf(clean);
  if (header.type === "symlink") files.addLink(name, posix.join(posix.dirname(name), textOf(header.linkname)));
  if (header.type === "link") files.addLink(name, posix.normalize(textOf(header.linkname)));
  if (header.type !== "file") return undefined;
  if (documents.has(name)) return openDocument(name, header.size, files);
  const ingest = await Ingest.start(blobs, promisedDigest(name), header.size);
  return {
    write: (data) => ingest.write(data),
    end: () =>
      commits.add(async () => {
        try {
          files.add(name, await ingest.commit());
        } finally {
          await ingest.abort();
        }
      }),
    abort: () => ingest.abort(),
  };
}

function openDocument(name: string, size: number, files: ArchiveFiles): OpenFile {
  if (size > maxArchiveDocument) throw new InvalidArgument(`${name} is too large: ${size} bytes`);
  const pieces: Buffer[] = [];
  return {
    // The piece's memory is used again.
    write: async (data) => void pieces.push(Buffer.from(data)),
    end: async () => void files.documents.set(name, Buffer.concat(pieces)),
    abort: async () => undefined,
  };
}
