/** A volume as its driver knows it. */
export interface DriverVolume {
  name: string;
  /** On the host; empty while the driver has not mounted it. */
  mountpoint: string;
  /** RFC 3339. */
  createdAt: string;
  status: Record<string, unknown> | undefined;
}

/** One driver of volumes beside `local`. Errors carry the driver's own words. */
export interface VolumeDriver {
  readonly name: string;
  /** Where its volumes are the same ones: on this host, or on all hosts that use the driver. */
  scope(): Promise<"local" | "global">;
  create(name: string, options: Record<string, string> | null): Promise<void>;
  /** @throws Unavailable, DeadlineExceeded when the driver is away; NotFound when it knows no such volume */
  get(name: string, options?: { retry: boolean }): Promise<DriverVolume>;
  /** Fails soon when the driver is away. */
  list(): Promise<DriverVolume[]>;
  remove(name: string): Promise<void>;
  /**
   * @param id of this use: the same one again, and in `unmount`, means the same use
   * @returns the path on the host
   */
  mount(name: string, id: string): Promise<string>;
  /** Fails soon when the driver is away. */
  unmount(name: string, id: string): Promise<void>;
}

/** Finds drivers beside `local`. */
export interface VolumeDrivers {
  /** @param options.retry false: fails at once when the driver is away; `wait` true: waits also for one that nobody has announced yet; @throws NotFound `plugin "x" not found` */
  get(name: string, options?: { retry: boolean; wait?: boolean }): Promise<VolumeDriver>;
  /** All that can be reached now. */
  all(): Promise<VolumeDriver[]>;
}
