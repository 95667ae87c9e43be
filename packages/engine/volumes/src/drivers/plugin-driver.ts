import { isKind, NotFound, Unknown } from "@longshore/errdefs";
import type { CallOptions, Plugin, Plugins } from "@longshore/plugins";
import type { DriverVolume, VolumeDriver, VolumeDrivers } from "./driver.ts";

const kind = "VolumeDriver";
/** Creating, mounting, … may take long; what is only asked for, less. dockerd's limits, in milliseconds. */
const longMs = 120_000;
const shortMs = 60_000;
/** A list is made of what answers soon, in milliseconds. */
const listMs = 5000;

interface WireVolume {
  Name?: string;
  Mountpoint?: string;
  CreatedAt?: string;
  Status?: Record<string, unknown> | null;
}

/** The end of a container waits for an unmount, in milliseconds. */
const unmountMs = 10_000;

/** What Go shows for a time that was not given. */
const noTime = "0001-01-01T00:00:00Z";

function volumeOf(wire: WireVolume): DriverVolume {
  return {
    name: wire.Name ?? "",
    mountpoint: wire.Mountpoint ?? "",
    createdAt: wire.CreatedAt || noTime,
    status: wire.Status ?? undefined,
  };
}

/** A volume driver behind Docker's plugin protocol. */
class PluginVolumeDriver implements VolumeDriver {
  readonly #plugin: Plugin;
  #scope: "local" | "global" | undefined;

  constructor(plugin: Plugin) {
    this.#plugin = plugin;
  }

  get name(): string {
    return this.#plugin.name;
  }

  async #call<T>(method: string, body: object, options: CallOptions): Promise<T> {
    const answer = await this.#plugin.call<T & { Err?: string }>(`${kind}.${method}`, body, options);
    if (answer.Err) throw new Unknown(answer.Err);
    return answer;
  }

  async scope(): Promise<"local" | "global"> {
    if (this.#scope !== undefined) return this.#scope;
    try {
      const { Capabilities } = await this.#call<{ Capabilities?: { Scope?: string } }>(
        "Capabilities",
        {},
        { timeoutMs: listMs, retry: false },
      );
      this.#scope = Capabilities?.Scope?.toLowerCase() === "global" ? "global" : "local";
      return this.#scope;
    } catch (error) {
      // One that has no such method is local; one that is away may tell later.
      if (isKind(error, "Unknown")) this.#scope = "local";
      return "local";
    }
  }

  async create(name: string, options: Record<string, string> | null): Promise<void> {
    await this.#call("Create", { Name: name, Opts: options }, { timeoutMs: longMs });
  }

  async get(name: string, { retry } = { retry: true }): Promise<DriverVolume> {
    try {
      const { Volume } = await this.#call<{ Volume?: WireVolume | null }>(
        "Get",
        { Name: name },
        { timeoutMs: retry ? shortMs : listMs, retry },
      );
      if (Volume) return volumeOf(Volume);
    } catch (error) {
      if (!isKind(error, "Unknown")) throw error;
    }
    throw new NotFound("no such volume");
  }

  async list(): Promise<DriverVolume[]> {
    const { Volumes } = await this.#call<{ Volumes?: WireVolume[] | null }>(
      "List",
      {},
      { timeoutMs: listMs, retry: false },
    );
    return (Volumes ?? []).map(volumeOf);
  }

  async remove(name: string): Promise<void> {
    await this.#call("Remove", { Name: name }, { timeoutMs: longMs });
  }

  async mount(name: string, id: string): Promise<string> {
    const { Mountpoint } = await this.#call<{ Mountpoint?: string }>(
      "Mount",
      { Name: name, ID: id },
      { timeoutMs: longMs },
    );
    return Mountpoint ?? "";
  }

  async unmount(name: string, id: string): Promise<void> {
    await this.#call("Unmount", { Name: name, ID: id }, { timeoutMs: unmountMs, retry: false });
  }
}

/** The volume drivers among the plugins. */
export function pluginVolumeDrivers(plugins: Plugins): VolumeDrivers {
  const drivers = new WeakMap<Plugin, VolumeDriver>();
  const driverOf = (plugin: Plugin): VolumeDriver => {
    const driver = drivers.get(plugin) ?? new PluginVolumeDriver(plugin);
    drivers.set(plugin, driver);
    return driver;
  };
  return {
    get: async (name, options) => driverOf(await plugins.get(name, kind, options)),
    all: async () => (await plugins.all(kind)).map(driverOf),
  };
}
