import { InvalidArgument } from "@longshore/errdefs";
import { type Registration, uriOf } from "../registry/registration.ts";
import type { Registry } from "../registry/registry.ts";
import type { Config } from "./config.ts";
import { isTable, merge } from "./merge.ts";

/**
 * A plugin's configuration: its table of `[plugins]` over the defaults of its registration.
 * @returns also the keys that mean nothing to it
 * @throws InvalidArgument naming the plugin and the key
 */
export function pluginConfig(
  registration: Registration,
  plugins: Readonly<Record<string, unknown>>,
): { config: object; ignored: string[] } {
  const uri = uriOf(registration);
  const config = structuredClone(registration.config ?? {});
  const ignored: string[] = [];
  const given = plugins[uri] ?? {};
  if (!isTable(given)) throw new InvalidArgument(`plugins.${JSON.stringify(uri)} must be a table`);
  merge(config as Record<string, unknown>, given, `plugins.${JSON.stringify(uri)}.`, ignored);
  return { config, ignored: ignored.map((name) => name.slice(`plugins.${JSON.stringify(uri)}.`.length)) };
}

/** The configuration with the tables of all enabled plugins that have one written out. @throws InvalidArgument */
export function withPluginConfigs(config: Config, registry: Registry): Config {
  const tables = registry
    .graph(config.disabled_plugins)
    .filter((registration) => registration.config !== undefined)
    .map((registration) => [uriOf(registration), pluginConfig(registration, config.plugins).config] as const);
  return { ...config, plugins: { ...config.plugins, ...(Object.fromEntries(tables) as Record<string, object>) } };
}
