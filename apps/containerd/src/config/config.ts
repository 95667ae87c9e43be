import { readFile } from "node:fs/promises";
import { InvalidArgument, NotFound, messageOf } from "@longshore/errdefs";
import type { LogLevel } from "@longshore/logger";
import { parse, stringify } from "smol-toml";
import { type Table, isTable, merge } from "./merge.ts";

/** The configuration in containerd's own words, as far as there is something to configure. */
export interface Config {
  root: string;
  state: string;
  oom_score: number;
  /** Plugins by their URIs, e.g. `io.containerd.grpc.v1.tasks`. */
  disabled_plugins: string[];
  required_plugins: string[];
  grpc: { address: string; uid: number; gid: number };
  ttrpc: { address: string; uid: number; gid: number };
  debug: { level: string };
  /** Not containerd's: how much a layer or an image archive may unpack to; 0 for as much as the disk has. */
  archive: { max_unpacked_bytes: number };
  /** What the file says of plugins, by URI; see `pluginConfig`. */
  plugins: Record<string, unknown>;
}

/** containerd's own file belongs to an installed containerd; ours lies elsewhere, as all else does. */
export const defaultConfigPath = "/etc/longshore/containerd/config.toml";

export function defaultConfig(): Config {
  return {
    root: "/var/lib/longshore/containerd",
    state: "/run/longshore/containerd",
    oom_score: 0,
    disabled_plugins: [],
    // Without these an engine would find a containerd that answers and has no containers.
    required_plugins: [
      "io.containerd.metadata.v1.sqlite",
      "io.containerd.ttrpc.v1.events",
      "io.containerd.runtime.v2.task",
    ],
    grpc: { address: "/run/longshore/containerd/containerd.sock", uid: 0, gid: 0 },
    ttrpc: { address: "", uid: 0, gid: 0 },
    debug: { level: "" },
    archive: { max_unpacked_bytes: 0 },
    plugins: {},
  };
}

/** The configuration as a file that `--config` takes. */
export function formatConfig(config: Config): string {
  return stringify({ version: 3, ...config });
}

export interface LoadedConfig {
  config: Config;
  /** Keys of the file that mean nothing here, as dotted paths. */
  ignored: string[];
}

/**
 * Reads a TOML file over the defaults.
 * @param path with `required`, a missing file is an error
 * @throws NotFound, InvalidArgument naming the file and the key
 */
export async function loadConfig(path: string, required: boolean): Promise<LoadedConfig> {
  const config = defaultConfig();
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    if (required)
      throw new NotFound(`failed to load TOML from ${path}: open ${path}: no such file or directory`, { cause: error });
    return { config, ignored: [] };
  }
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (cause) {
    throw new InvalidArgument(`failed to load TOML from ${path}: ${messageOf(cause)}`, { cause });
  }
  const { version = 1, ...rest } = document;
  if (version !== 2 && version !== 3)
    throw new InvalidArgument(`${path}: unsupported config version \`${String(version)}\`: invalid argument`);
  const ignored: string[] = [];
  try {
    const { plugins = {}, ...others } = rest;
    if (!isTable(plugins)) throw new InvalidArgument("plugins must be a table");
    merge(config as unknown as Table, others, "", ignored);
    config.plugins = plugins;
    checkUris(config);
  } catch (error) {
    throw new InvalidArgument(`failed to load TOML from ${path}: ${messageOf(error)}`, { cause: error });
  }
  const limit = config.archive.max_unpacked_bytes;
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw new InvalidArgument(
      `failed to load TOML from ${path}: archive.max_unpacked_bytes must be a number of bytes: ${limit}`,
    );
  return { config, ignored };
}

/** @throws InvalidArgument in containerd's words for names without a type */
function checkUris({ disabled_plugins: disabled, required_plugins: required }: Config): void {
  for (const [what, uris] of [["disabled", disabled] as const, ["required", required] as const])
    for (const uri of uris)
      if (!uri.includes("."))
        throw new InvalidArgument(`invalid ${what} plugin URI ${JSON.stringify(uri)} expect io.containerd.x.vx`);
}

const levels: Readonly<Record<string, LogLevel>> = {
  "": "info",
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  fatal: "fatal",
  panic: "fatal",
};

/** @throws InvalidArgument */
export function logLevel(name: string): LogLevel {
  const level = levels[name.toLowerCase()];
  if (level === undefined) throw new InvalidArgument(`unable to set log level: not a valid logrus Level: "${name}"`);
  return level;
}
