import { Unknown, messageOf, wrap } from "@longshore/errdefs";
import { InitContext, type Properties } from "./init-context.ts";
import { type Plugin, PluginSet, SkipPlugin } from "./plugin-set.ts";
import { type Registration, uriOf } from "./registration.ts";
import type { Registry } from "./registry.ts";

export interface LoadOptions {
  /** URIs; names that nobody has are no fault, as with containerd. */
  disabled: readonly string[];
  /** URIs of plugins without which the daemon does not start. */
  required: readonly string[];
  /** A plugin's configuration: the file's table over its defaults. @throws InvalidArgument */
  configOf: (registration: Registration) => object;
  properties: Properties;
}

export interface LoadedPlugins {
  plugins: PluginSet;
  /** Closes all plugins, the last first, whatever becomes of one. @throws the first error */
  close(): Promise<void>;
}

/**
 * Initializes all plugins in order. One that fails is logged and shown with its error, and the others go on.
 * @throws InvalidArgument for a wrong configuration, and where a required plugin fails (its kind of error), is
 *   skipped, disabled or unknown; what was initialized until then is closed
 */
export async function loadPlugins(registry: Registry, options: LoadOptions): Promise<LoadedPlugins> {
  const { logger } = options.properties;
  const plugins = new PluginSet();
  const contexts: InitContext[] = [];
  const close = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const context of contexts.splice(0).toReversed()) await context.close().catch((error) => errors.push(error));
    for (const error of errors) logger.error({ error: messageOf(error) }, "failed to close plugin");
    if (errors.length > 0) throw errors[0];
  };
  try {
    for (const registration of registry.graph(options.disabled)) {
      const context = new InitContext(registration, options.configOf(registration), plugins, options.properties);
      contexts.push(context);
      plugins.add(await initialize(registration, context, options));
    }
    const missing = options.required.filter((uri) => !working(plugins, uri));
    if (missing.length > 0) throw new Unknown(`required plugin [${missing.join(" ")}] not included`);
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
  return { plugins, close };
}

function working(plugins: PluginSet, uri: string): boolean {
  return plugins.all().some(({ registration, result }) => uriOf(registration) === uri && "instance" in result);
}

async function initialize(
  registration: Registration,
  context: InitContext,
  { required, properties: { logger } }: LoadOptions,
): Promise<Plugin> {
  const uri = uriOf(registration);
  const { meta } = context;
  logger.info({ id: uri, type: registration.type }, "loading plugin");
  try {
    return { registration, meta, result: { instance: await registration.init(context) } };
  } catch (error) {
    const fields = { error: messageOf(error), id: uri, type: registration.type };
    await context.close().catch((closing) => logger.error({ error: messageOf(closing) }, "failed to close plugin"));
    if (required.includes(uri)) throw wrap(`load required plugin ${uri}`, error);
    if (error instanceof SkipPlugin) logger.info(fields, "skip loading plugin");
    else logger.warn(fields, "failed to load plugin");
    return { registration, meta, result: { error } };
  }
}
