import { readFile } from "node:fs/promises";
import { InvalidArgument, NotFound, messageOf } from "@longshore/errdefs";
import type { LogLevel } from "@longshore/logger";
import { parse, stringify } from "smol-toml";

/** The configuration in containerd's own words, as far as there is something to configure. */
export interface Config {
  root: string;
  state: string;
  oom_score: number;
  grpc: { address: string; uid: number; gid: number };
  ttrpc: { address: string; uid: number; gid: number };
  debug: { level: string };
  /** Not containerd's: how much a layer or an image archive may unpack to; 0 for as much as the disk has. */
  archive: { max_unpacked_bytes: number };
}

/** containerd's own file belongs to an installed containerd; ours lies elsewhere, as all else does. */
export const defaultConfigPath = "/etc/longshore/containerd/config.toml";

export function defaultConfig(): Config {
  return {
    root: "/var/lib/longshore/containerd",
    state: "/run/longshore/containerd",
    oom_score: 0,
    grpc: { address: "/run/longshore/containerd/containerd.sock", uid: 0, gid: 0 },
    ttrpc: { address: "", uid: 0, gid: 0 },
    debug: { level: "" },
    archive: { max_unpacked_bytes: 0 },
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
  merge(config as unknown as Table, rest, path, "", ignored);
  const limit = config.archive.max_unpacked_bytes;
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw new InvalidArgument(
      `failed to load TOML from ${path}: archive.max_unpacked_bytes must be a number of bytes: ${limit}`,
    );
  return { config, ignored };
}

type Table = Record<string, unknown>;

function merge(into: Table, from: Table, path: string, prefix: string, ignored: string[]): void {
  for (const [key, value] of Object.entries(from)) {
    const name = `${prefix}${key}`;
    const known = into[key];
    if (known === undefined) {
      ignored.push(name);
    } else if (typeof known === "object" && typeof value === "object" && value !== null) {
      merge(known as Table, value as Table, path, `${name}.`, ignored);
    } else if (typeof known !== typeof value) {
      throw new InvalidArgument(
        `failed to load TOML from ${path}: ${name} must be a ${typeof known === "object" ? "table" : typeof known}`,
      );
    } else {
      into[key] = value;
    }
  }
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
