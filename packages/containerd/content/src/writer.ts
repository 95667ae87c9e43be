import { createReadStream } from "node:fs";
import { type FileHandle, chmod, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDir } from "@longshore/atomicfile";
import { AlreadyExists, FailedPrecondition } from "@longshore/errdefs";
import type { Status, Writer } from "./contract.ts";
import { Digester } from "./digest.ts";
import type { IngestFiles } from "./ingest.ts";

export interface LocalWriterOptions {
  files: IngestFiles;
  status: Status;
  /** A digest whose algorithm is to be used. */
  like: string;
  blobPath: (digest: string) => string;
  /** Lets the ref go. */
  release: () => void;
}

/** Opens an ingest for writing; what it holds is digested again. */
export async function openWriter(options: LocalWriterOptions): Promise<Writer> {
  const digester = new Digester(options.like);
  if (options.status.offset > 0) {
    for await (const chunk of createReadStream(options.files.data, {
      end: options.status.offset - 1,
      highWaterMark: 1 << 20,
    }))
      digester.update(chunk as Uint8Array);
  }
  return new LocalWriter(options, digester, await open(options.files.data, "r+"));
}

class LocalWriter implements Writer {
  readonly #options: LocalWriterOptions;
  readonly #digester: Digester;
  #handle: FileHandle | undefined;
  #offset: number;
  #updatedAt: Date;

  constructor(options: LocalWriterOptions, digester: Digester, handle: FileHandle) {
    this.#options = options;
    this.#digester = digester;
    this.#handle = handle;
    this.#offset = options.status.offset;
    this.#updatedAt = options.status.updatedAt;
  }

  status(): Status {
    return { ...this.#options.status, offset: this.#offset, updatedAt: this.#updatedAt };
  }

  digest(): string {
    return this.#digester.digest();
  }

  async write(data: Uint8Array): Promise<void> {
    const handle = this.#open();
    // Data of another size's ingest may still lie there.
    if (this.#offset === 0) await handle.truncate(0);
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await handle.write(data, done, data.length - done, this.#offset);
      this.#digester.update(data.subarray(done, done + bytesWritten));
      this.#offset += bytesWritten;
      done += bytesWritten;
    }
    this.#updatedAt = new Date();
  }

  async reset(): Promise<void> {
    await this.#open().truncate(0);
    this.#digester.reset();
    this.#offset = 0;
    this.#updatedAt = new Date();
  }

  async commit(size: number, expected: string): Promise<string> {
    const handle = this.#open();
    const { dir, data } = this.#options.files;
    const digest = this.digest();
    let dropped = true;
    try {
      if (this.#offset === 0) await handle.truncate(0);
      // What is published is the file, so it is the file that is measured.
      const held = (await handle.stat()).size;
      // What is refused stays, as in containerd, until it is written anew, aborted or collected.
      dropped = false;
      if (size > 0 && size !== held)
        throw new FailedPrecondition(`unexpected commit size ${held}, expected ${size}: failed precondition`);
      if (expected !== "" && expected !== digest)
        throw new FailedPrecondition(`unexpected commit digest ${digest}, expected ${expected}: failed precondition`);
      if (held !== this.#offset)
        throw new FailedPrecondition(
          `ingest of ${this.#options.status.ref} changed below its writer: failed precondition`,
        );
      const blob = this.#options.blobPath(digest);
      dropped = true;
      await mkdir(dirname(blob), { recursive: true, mode: 0o755 });
      if (await isFile(blob)) throw new AlreadyExists(`content ${digest}: already exists`);
      await handle.sync();
      await chmod(data, 0o444);
      await rename(data, blob);
      await syncDir(dirname(blob));
      return digest;
    } finally {
      this.#handle = undefined;
      await handle.close();
      if (dropped) await rm(dir, { recursive: true, force: true });
      this.#options.release();
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    try {
      await handle.close();
      await writeFile(this.#options.files.updatedAt, this.#updatedAt.toISOString());
    } finally {
      this.#options.release();
    }
  }

  #open(): FileHandle {
    if (this.#handle === undefined)
      throw new FailedPrecondition(`cannot write on closed writer of ${this.#options.status.ref}: failed precondition`);
    return this.#handle;
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
