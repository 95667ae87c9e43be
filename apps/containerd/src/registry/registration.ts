import type { Any } from "@bufbuild/protobuf/wkt";
import type { Platform } from "@longshore/oci";
import type { InitContext } from "./init-context.ts";

declare const instance: unique symbol;

/** The name of a kind of plugins, e.g. `io.containerd.snapshotter.v1`; `I` is what an initialized one gives others. */
export type PluginType<I> = string & { readonly [instance]?: I };

export function pluginType<I>(name: string): PluginType<I> {
  return name as PluginType<I>;
}

/** What a plugin tells of itself when it is initialized. */
export interface Meta {
  platforms: Platform[];
  /** e.g. `root` of a snapshotter; a function's value is asked for anew each time, and left out while undefined. */
  exports: Record<string, string | (() => string | undefined)>;
  capabilities: string[];
  /** Tells more when it is asked with options, as runtimes do. */
  info?: (options: Any, signal: AbortSignal) => Promise<Any>;
}

/** A part of the daemon as containerd knows parts: named, with what must be there before it, made by `init`. */
export interface Registration<I = unknown, C extends object = object> {
  type: PluginType<I>;
  id: string;
  /** Types whose plugins, all of them, are initialized before. */
  requires?: readonly PluginType<unknown>[];
  /** The defaults of its table in `[plugins]`, in containerd's keys. */
  config?: C;
  /** @throws SkipPlugin where it has nothing to do; any other error is shown as the plugin's */
  init(context: InitContext<C>): I | Promise<I>;
}

/** `io.containerd.grpc.v1.tasks`: the name in `disabled_plugins`, in `[plugins]` and of a plugin's directory. */
export function uriOf({ type, id }: Pick<Registration, "type" | "id">): string {
  return `${type}.${id}`;
}

/** For a registration among others, with the types of its instance and configuration checked. */
export function plugin<I, C extends object = object>(registration: Registration<I, C>): Registration {
  return registration;
}
