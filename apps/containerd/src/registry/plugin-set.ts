import { Unknown } from "@longshore/errdefs";
import { type Meta, type PluginType, type Registration, uriOf } from "./registration.ts";

/** What a plugin throws that has nothing to do here: it is not set up, or the machine cannot. Nobody calls that a fault. */
export class SkipPlugin extends Unknown {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(`${reason}: skip plugin`, options);
  }
}

/** A plugin after its initialization. */
export interface Plugin {
  registration: Registration;
  meta: Meta;
  /** What it gives others, or why there is nothing. */
  result: { instance: unknown } | { error: unknown };
}

/** The plugins that were initialized, also those that failed, in that order. */
export class PluginSet {
  readonly #byUri = new Map<string, Plugin>();

  add(plugin: Plugin): void {
    this.#byUri.set(uriOf(plugin.registration), plugin);
  }

  all(): Plugin[] {
    return [...this.#byUri.values()];
  }

  find(type: string, id: string): Plugin | undefined {
    return this.#byUri.get(`${type}.${id}`);
  }

  /**
   * What the plugins of a type give, by id; without those that were skipped.
   * @throws what one of them failed with, Unknown when there is none
   */
  byType<I>(type: PluginType<I>): Map<string, I> {
    const found = new Map<string, I>();
    for (const { registration, result } of this.#byUri.values()) {
      if (registration.type !== type) continue;
      if ("instance" in result) found.set(registration.id, result.instance as I);
      else if (!(result.error instanceof SkipPlugin)) throw result.error;
    }
    if (found.size === 0) throw new Unknown(`no plugins registered for ${type}: plugin: not found`);
    return found;
  }

  /** What the one plugin of a type gives. @throws what it failed with, Unknown when there is none or several */
  single<I>(type: PluginType<I>): I {
    const [instance, ...more] = this.byType(type).values();
    if (more.length > 0) throw new Unknown(`multiple plugins registered for ${type}: plugin: multiple instances`);
    return instance as I;
  }

  /** What the plugins of a type give that could be initialized, whatever became of others. */
  working<I>(type: PluginType<I>): I[] {
    return this.all().flatMap(({ registration, result }) =>
      registration.type === type && "instance" in result ? [result.instance as I] : [],
    );
  }
}
