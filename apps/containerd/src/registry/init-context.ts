import { join } from "node:path";
import type { Logger } from "@longshore/logger";
import type { PluginSet } from "./plugin-set.ts";
import { type Meta, type PluginType, type Registration, uriOf } from "./registration.ts";

/** What of the daemon all plugins are told. */
export interface Properties {
  /** The daemon's root and state directories. */
  root: string;
  state: string;
  grpcAddress: string;
  ttrpcAddress: string;
  logger: Logger;
}

/** What a plugin is initialized with. */
export class InitContext<C extends object = object> {
  readonly daemon: Properties;
  /** Its table of `[plugins]` over the defaults of its registration. */
  readonly config: C;
  /** The plugin's own directory below the root; nobody has made it. */
  readonly root: string;
  readonly meta: Meta = { platforms: [], exports: {}, capabilities: [] };
  readonly #plugins: PluginSet;
  readonly #closers: (() => unknown)[] = [];

  constructor(registration: Registration, config: C, plugins: PluginSet, daemon: Properties) {
    this.daemon = daemon;
    this.config = config;
    this.root = join(daemon.root, uriOf(registration));
    this.#plugins = plugins;
  }

  /** All plugins; those that come later once they are there. */
  get plugins(): PluginSet {
    return this.#plugins;
  }

  /** What the one plugin of a required type gives. @throws what it failed with, Unknown when there is none */
  single<I>(type: PluginType<I>): I {
    return this.#plugins.single(type);
  }

  /** The same of several, by id. */
  byType<I>(type: PluginType<I>): Map<string, I> {
    return this.#plugins.byType(type);
  }

  /** `close` is called when the daemon stops or the initialization fails, the last given first. */
  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Calls what was given to `onClose`, all of it. @throws the first error */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closers.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
