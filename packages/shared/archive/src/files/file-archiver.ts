import type { ArchiveWorkers } from "../worker/pool.ts";
import type { PackOptions } from "./pack.ts";
import { type PathStat, statPath } from "./stat.ts";
import type { UnpackOptions } from "./unpack.ts";

/** `docker cp` and `docker export`: tars of what lies in a container's root, on worker threads. */
export class FileArchiver {
  readonly #workers: ArchiveWorkers;

  /** Bytes that a tar may unpack to, 0 for as many as the disk has. */
  limit = 0;

  constructor(workers: ArchiveWorkers) {
    this.#workers = workers;
  }

  /** Looks at a path. @throws NotFound, Unknown `lstat /a/b/: not a directory` */
  stat(root: string, path: string): PathStat {
    return statPath(root, path);
  }

  /** Streams a tar of a path. @throws as `stat`, with the first piece */
  pack(options: PackOptions, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
    return this.#workers.stream("pack", options, signal);
  }

  /** Unpacks a tar into a folder. What was unpacked before an error stays, as with Docker. @throws see `unpack` */
  unpack(source: AsyncIterable<Uint8Array>, options: UnpackOptions, signal?: AbortSignal): Promise<void> {
    return this.#workers.run("unpack", { limit: this.limit, ...options }, { input: source, signal });
  }
}
