import { type FileHandle, open, readdir, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { makeDir, writeFileAtomic } from "@longshore/atomicfile";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange, isKind } from "@longshore/errdefs";
import { parseAll } from "@longshore/filters";
import type { Info, Status, Store, Writer, WriterOptions } from "./contract.ts";
import { checkDigest, digestProblem } from "./digest.ts";
import { createIngest, ingestFiles, listIngests, readIngest, removeBroken } from "./ingest.ts";
import { RefLocks } from "./locks.ts";
import { openWriter } from "./writer.ts";

/** The largest piece that a read gives. */
const chunkBytes = 1 << 20;

/**
 * Blobs as files, in containerd's own layout: `blobs/<algorithm>/<hex>` and `ingest/<sha256 of
 * the ref>/{data,ref,startedat,updatedat,total}`. It knows neither namespaces nor labels; the
 * metadata store adds them.
 */
export class LocalStore implements Store {
  readonly #root: string;
  readonly #locks = new RefLocks();

  private constructor(root: string) {
    this.#root = root;
  }

  /** Opens the store below `root` and removes what a crash left and nobody can resume. */
  static async open(root: string): Promise<LocalStore> {
    const store = new LocalStore(root);
    await makeDir(join(root, "blobs", "sha256"), 0o755);
    await makeDir(store.#ingests, 0o755);
    await removeBroken(store.#ingests);
    return store;
  }

  get #ingests(): string {
    return join(this.#root, "ingest");
  }

  async info(digest: string): Promise<Info> {
    const { size, birthtime, mtime } = await stat(this.#blobPath(digest)).catch((error: unknown) => {
      throw absent(digest, error);
    });
    return { digest, size, createdAt: birthtime, updatedAt: mtime, labels: {} };
  }

  async path(digest: string): Promise<string> {
    await this.info(digest);
    return this.#blobPath(digest);
  }

  async *read(digest: string, offset = 0, size = 0): AsyncGenerator<Uint8Array> {
    const handle = await open(this.#blobPath(digest), "r").catch((error: unknown) => {
      throw absent(digest, error);
    });
    try {
      yield* pieces(handle, offset, size);
    } finally {
      await handle.close();
    }
  }

  async *list(filters: readonly string[] = []): AsyncGenerator<Info> {
    const filter = parseAll(filters);
    const blobs = join(this.#root, "blobs");
    for (const algorithm of await readdir(blobs)) {
      for (const encoded of await readdir(join(blobs, algorithm))) {
        const digest = `${algorithm}:${encoded}`;
        if (digestProblem(digest) !== undefined || !filter(([field]) => (field === "digest" ? digest : undefined)))
          continue;
        try {
          yield await this.info(digest);
        } catch (error) {
          if (!isKind(error, "NotFound")) throw error;
        }
      }
    }
  }

  update(): Promise<never> {
    return Promise.reject(
      new FailedPrecondition("update not supported on immutable content store: failed precondition"),
    );
  }

  async delete(digest: string): Promise<void> {
    await unlink(this.#blobPath(digest)).catch((error: unknown) => {
      throw absent(digest, error);
    });
  }

  async writer({ ref, size = 0, expected = "" }: WriterOptions): Promise<Writer> {
    if (ref === "") throw new InvalidArgument("ref must not be empty: invalid argument");
    if (expected !== "" && (await this.#has(expected))) throw new AlreadyExists(`content ${expected}: already exists`);
    const release = this.#locks.lock(ref);
    try {
      const files = ingestFiles(this.#ingests, ref);
      const status = await this.#resume(ref, size);
      return await openWriter({
        files,
        status: { ...status, expected },
        like: expected,
        blobPath: (digest) => this.#blobPath(digest),
        release,
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * An ingest that was meant for another size cannot be the same content: it is written anew. What
   * it holds stays until then, so that a wrong size alone destroys nothing.
   */
  async #resume(ref: string, size: number): Promise<Status> {
    const files = ingestFiles(this.#ingests, ref);
    let status: Status;
    try {
      status = await readIngest(files, ref);
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
      return createIngest(files, ref, size);
    }
    if (size === 0 || status.total === size) return status;
    await writeFileAtomic(files.total, String(size), 0o644);
    return { ...status, total: size, offset: status.total === 0 ? status.offset : 0 };
  }

  status(ref: string): Promise<Status> {
    return readIngest(ingestFiles(this.#ingests, ref), ref);
  }

  async listStatuses(filters: readonly string[] = []): Promise<Status[]> {
    const filter = parseAll(filters);
    const statuses = await listIngests(this.#ingests);
    return statuses.filter(({ ref }) => filter(([field]) => (field === "ref" ? ref : undefined)));
  }

  async abort(ref: string): Promise<void> {
    const release = this.#locks.lock(ref);
    try {
      const files = ingestFiles(this.#ingests, ref);
      await readIngest(files, ref);
      await rm(files.dir, { recursive: true, force: true });
    } finally {
      release();
    }
  }

  async #has(digest: string): Promise<boolean> {
    return stat(this.#blobPath(digest)).then(
      () => true,
      () => false,
    );
  }

  #blobPath(digest: string): string {
    checkDigest(digest);
    return join(this.#root, "blobs", ...digest.split(":"));
  }
}

async function* pieces(handle: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  const { size: length } = await handle.stat();
  if (offset > length) throw new OutOfRange(`read past object length ${length} bytes`);
  const end = size > 0 ? Math.min(length, offset + size) : length;
  for (let position = offset; position < end;) {
    // A new buffer each time: the receiver may hold on to it.
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function absent(digest: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return new NotFound(`content ${digest}: not found`, { cause: error });
}
