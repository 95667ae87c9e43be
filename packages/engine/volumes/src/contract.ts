import type { Volume, VolumeCreateOptions } from "@longshore/docker-api";

/** Volumes by name. Records and references survive SIGKILL at any instruction. */
export interface VolumeStore {
  /**
   * Creates, or returns the existing volume of that name. An empty name makes an anonymous one.
   * An empty driver means whichever has a volume of that name, or else `local`.
   * @throws InvalidArgument, NotFound `create x: error looking up volume plugin …`, Conflict when another driver has the name
   */
  create(options: Partial<VolumeCreateOptions>): Promise<Volume>;
  /** @throws NotFound `get x: no such volume` */
  get(name: string): Promise<Volume>;
  list(): Promise<{ volumes: Volume[]; warnings: string[] }>;
  /** With `force` a missing volume is no error. @throws Conflict `remove x: volume is in use - [ids]`, NotFound */
  remove(name: string, force: boolean): Promise<void>;
  /** Removes those unreferenced volumes that `matches` accepts. @returns their names and the bytes they took */
  prune(matches: (volume: Volume) => boolean): Promise<{ deleted: string[]; reclaimed: number }>;
  /** Volumes with `UsageData`, for `docker system df`: those kept by the local driver itself, not what is mounted from elsewhere. */
  usage(): Promise<Volume[]>;
  /**
   * A container that mounts the volume, running or not: keeps it from being removed. References
   * are kept in memory only: who restores containers states them anew.
   */
  reference(name: string, containerId: string): void;
  dereference(name: string, containerId: string): void;
  references(name: string): string[];
  /**
   * Makes the volume usable (mounts nfs, tmpfs, … once) and returns its path on the host.
   * After a restart it is called again for containers that live, which mounts nothing twice.
   * @throws Unknown `error while mounting volume 'PATH': …`
   */
  mount(name: string, containerId: string): Promise<string>;
  /** Unmounts after the last user; a volume that is gone or not mounted is no error. */
  unmount(name: string, containerId: string): Promise<void>;
  /**
   * Fills an empty volume with what the image has at its place. `source` is a directory inside the
   * container's root that was resolved there (a path or `/proc/self/fd/n`); a volume that has
   * content, or a source that is no directory, is left alone.
   */
  copyUp(source: string, volumePath: string): Promise<void>;
  /**
   * Once, after a start, when living containers have stated anew what they mount: uses that nobody
   * claimed, because the engine was killed in their midst, are ended in the background.
   */
  releaseUnclaimed(): void;
}

/** What the local driver does of it: its mounts are found as they are, so that none has to be claimed. */
export interface LocalVolumeStore extends Omit<VolumeStore, "releaseUnclaimed"> {
  has(name: string): boolean;
}
