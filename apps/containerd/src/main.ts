import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { createLogger } from "@longshore/logger";
import { releaseMemoryWhenIdle } from "@longshore/sys";
import { configureTracing } from "@longshore/telemetry/daemon";
import { type Config, defaultConfig, defaultConfigPath, formatConfig, loadConfig, logLevel } from "./config/config.ts";
import { withPluginConfigs } from "./config/plugin-config.ts";
import { startDaemon } from "./daemon.ts";
import { builtinPlugins } from "./plugins/builtin.ts";
import { globalFlags, helpText, parseFlags } from "./config/flags.ts";
import { publish } from "./publish.ts";
import { apiVersion, packageName, revision } from "./release.ts";

/** The file's configuration with what the command line sets over it. */
async function configure(flags: ReadonlyMap<string, string>): Promise<{ config: Config; ignored: string[] }> {
  const path = flags.get("config");
  const { config, ignored } = await loadConfig(path ?? defaultConfigPath, path !== undefined);
  config.root = flags.get("root") ?? config.root;
  config.state = flags.get("state") ?? config.state;
  config.grpc.address = flags.get("address") ?? config.grpc.address;
  config.debug.level = flags.get("log-level") ?? config.debug.level;
  return { config, ignored };
}

async function run(config: Config, ignored: readonly string[]): Promise<void> {
  const logger = createLogger("containerd", logLevel(config.debug.level));
  for (const key of ignored) logger.warn({ key }, "Ignoring unknown key in TOML");
  process.on("uncaughtException", (error) => {
    logger.fatal({ error: error.stack }, "unexpected error");
    process.exit(1);
  });
  // What fails while nobody waits for it concerns one piece of work, not all.
  process.on("unhandledRejection", (error) =>
    logger.error({ error: error instanceof Error ? error.stack : String(error) }, "unexpected rejection"),
  );
  const flushTraces = await configureTracing("containerd");
  const daemon = await startDaemon(config, logger);
  releaseMemoryWhenIdle();
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "stopping");
    const flush = (): Promise<void> =>
      flushTraces().catch((error: unknown) => logger.warn({ error: messageOf(error) }, "spans could not be sent"));
    daemon
      .stop()
      .then(flush)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.fatal({ error: messageOf(error) }, "could not stop cleanly");
          process.exit(1);
        },
      );
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  // A log reader or a shim that goes away is no reason to end.
  process.on("SIGPIPE", () => undefined);
}

function print(config: Config): string {
  return formatConfig(withPluginConfigs(config, builtinPlugins(config)));
}

async function main(args: readonly string[]): Promise<void> {
  const { values, rest } = parseFlags(args, globalFlags);
  if (values.has("help") || rest[0] === "help" || rest[0] === "h")
    return void process.stdout.write(helpText(defaultConfigPath));
  if (values.has("version")) return void process.stdout.write(`containerd ${packageName} ${apiVersion} ${revision}\n`);
  const [command, ...words] = rest;
  if (command === "config" && words[0] === "default") return void process.stdout.write(print(defaultConfig()));
  const { config, ignored } = await configure(values);
  switch (command) {
    case undefined:
      return run(config, ignored);
    case "publish":
      return publish(config.grpc.address, words);
    case "config":
      if (words[0] !== "dump") throw new InvalidArgument(`no help topic for '${words[0] ?? ""}'`);
      return void process.stdout.write(print(config));
    default:
      throw new InvalidArgument(`no such command: ${command}`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`containerd: ${messageOf(error)}\n`);
  process.exit(1);
});
