import { isKind, NotFound, Unknown, wrap } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import type { PluginAddress } from "./address.ts";
import { dockerPluginDirs, findPlugin, type PluginDirs, scanPlugins } from "./discovery.ts";
import { type CallOptions, Plugin } from "./plugin.ts";

/** Who only looks around does not wait long for a plugin that says nothing. */
const scanTimeoutMs = 2000;

/** The plugins of this machine, looked up by name when they are first needed and kept from then on. */
export class Plugins {
  readonly #dirs: PluginDirs;
  readonly #log: Logger;
  readonly #active = new Map<string, Plugin>();
  readonly #pending = new Map<string, Promise<Plugin>>();

  constructor(options: { log: Logger; dirs?: PluginDirs }) {
    this.#dirs = options.dirs ?? dockerPluginDirs;
    this.#log = options.log;
  }

  /**
   * The plugin of that name, activated.
   * @param kind what it has to implement, such as `VolumeDriver`
   * @throws NotFound `plugin "x" not found`; Unknown when it implements something else; what activation throws
   */
  async get(name: string, kind: string, options: CallOptions = {}): Promise<Plugin> {
    const plugin = await this.#activated(name, options).catch((error: unknown) => {
      throw isKind(error, "NotFound") ? error : wrap("legacy plugin", error);
    });
    if (plugin.kinds.includes(kind)) return plugin;
    throw new Unknown(
      `legacy plugin: Plugin does not implement the requested driver: plugin=${JSON.stringify(name)}, requested implementation=${JSON.stringify(kind)}`,
    );
  }

  /** All plugins of a kind that can be reached now; the log tells of the others. */
  async all(kind: string): Promise<Plugin[]> {
    const names = new Set([...(await scanPlugins(this.#dirs)), ...this.#active.keys()]);
    const found = await Promise.all(
      [...names].map((name) =>
        this.#activated(name, { retry: false, timeoutMs: scanTimeoutMs }).catch((error: unknown) => {
          this.#log.warn({ err: error, plugin: name }, "a plugin cannot be activated");
          return undefined;
        }),
      ),
    );
    return found.filter((plugin) => plugin?.kinds.includes(kind) === true) as Plugin[];
  }

  /** Names of the plugins of a kind that have been used so far. */
  active(kind: string): string[] {
    return [...this.#active.values()].filter(({ kinds }) => kinds.includes(kind)).map(({ name }) => name);
  }

  async #find(name: string): Promise<PluginAddress> {
    const address = await findPlugin(this.#dirs, name);
    if (address === undefined) throw new NotFound(`plugin ${JSON.stringify(name)} not found`);
    return address;
  }

  async #activated(name: string, options: CallOptions): Promise<Plugin> {
    const known = this.#active.get(name);
    if (known !== undefined) return known;
    // Who only looks around must not make others give up early, nor wait as long as they do.
    const key = `${name} ${String(options.retry ?? true)} ${String(options.wait ?? false)}`;
    const pending = this.#pending.get(key) ?? Plugin.activate(name, () => this.#find(name), options);
    this.#pending.set(key, pending);
    try {
      const plugin = await pending;
      const first = this.#active.get(name) ?? plugin;
      this.#active.set(name, first);
      return first;
    } finally {
      this.#pending.delete(key);
    }
  }
}
