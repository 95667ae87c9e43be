import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from "node:fs";
import { must } from "./exec.ts";

/** A small ext4 file system of its own, in a file, mounted at `path`: it can run full, or lose its power. */
export class Disk {
  readonly path: string;
  readonly #image: string;

  /** @param megabytes of the whole disk */
  constructor(path: string, megabytes: number) {
    this.path = path;
    this.#image = `${path}.img`;
    mkdirSync(path, { recursive: true });
    const fd = openSync(this.#image, "w");
    ftruncateSync(fd, megabytes * 1024 * 1024);
    closeSync(fd);
  }

  async format(): Promise<void> {
    await must("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", this.#image]);
  }

  /** Mounts it; what its journal holds is brought in. Written back only when somebody asks for it. */
  async mount(): Promise<void> {
    await must("mount", ["-o", "loop,commit=300", this.#image, this.path]);
  }

  /** Unmounts it, together with what is mounted below. */
  async unmount(): Promise<void> {
    await must("umount", ["-R", this.path]);
  }

  /** Keeps or brings back all of its content, while it is not mounted. */
  async copyTo(file: string): Promise<void> {
    await must("cp", ["--sparse=always", this.#image, file]);
  }

  async restoreFrom(file: string): Promise<void> {
    await must("cp", ["--sparse=always", file, this.#image]);
  }

  /** Unmounts it if need be and removes the file. */
  async remove(): Promise<void> {
    await must("sh", ["-c", 'if mountpoint -q "$0"; then umount -R "$0"; fi', this.path]);
    rmSync(this.#image, { force: true });
  }
}
