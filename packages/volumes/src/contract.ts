import type { Volume, VolumeCreateOptions } from "@longshore/api";

/** Volumes by name. Records and references survive SIGKILL at any instruction. */
export interface VolumeStore {
  /** Creates, or returns the existing volume of that name and driver. An empty name makes an anonymous one. */
  create(options: Partial<VolumeCreateOptions>): Promise<Volume>;
  /** @throws NotFound `get x: no such volume` */
  get(name: string): Promise<Volume>;
  list(): Promise<{ volumes: Volume[]; warnings: string[] }>;
  /** @throws Conflict `remove x: volume is in use - [ids]`, NotFound */
  remove(name: string, force: boolean): Promise<void>;
  /** A container that mounts the volume, running or not: keeps it from being removed. */
  reference(name: string, containerId: string): void;
  dereference(name: string, containerId: string): void;
  references(name: string): string[];
  /** Makes the volume usable (mounts nfs, tmpfs, … once) and returns its path on the host. */
  mount(name: string, containerId: string): Promise<string>;
  unmount(name: string, containerId: string): Promise<void>;
}
