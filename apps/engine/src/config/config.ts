import { InvalidArgument, messageOf } from "@longshore/errdefs";
import type { LogFormat, LogLevel } from "@longshore/logger";
import { type Address, parseAddress } from "../listeners/address.ts";
import type { TlsConfig } from "../listeners/tls.ts";
import type { AccessConfig } from "./files/engine-keys.ts";
import { checkLabels, checkTogether, checkUserns, levelOf } from "./checks.ts";
import { type FileConfig, readDaemonJson } from "./files/daemon-json.ts";
import { engineConfigPath, readEngineJson } from "./files/engine-json.ts";
import { type GenericResource, parseGenericResources } from "./generic-resources.ts";
import { absentOptions } from "./options/absent.ts";
import { apiOptions } from "./options/api.ts";
import { commandOptions } from "./options/command.ts";
import { containersOptions } from "./options/containers.ts";
import { daemonOptions } from "./options/daemon.ts";
import { imagesOptions } from "./options/images.ts";
import { networksOptions } from "./options/networks.ts";
import { fieldOf, type Option, type Values } from "./options/option.ts";
import { type Given, options } from "./options/table.ts";
import { warningsOf } from "./warnings.ts";

const general = { ...daemonOptions, ...apiOptions, ...containersOptions, ...imagesOptions, ...absentOptions };
type General = Values<typeof general>;

/** What the default bridge and all networks are made of. */
type NetworkConfig = Values<typeof networksOptions>;

/** The engine's configuration: dockerd's options, merged from the command line and daemon.json; see `options`. */
export interface Config extends Omit<General, "hosts" | "tls" | "logLevel" | "logFormat" | "longshore"> {
  /** The `-H` addresses. */
  hosts: Address[];
  /** Of the TCP addresses; undefined without TLS. */
  tls?: TlsConfig;
  access: AccessConfig;
  logLevel: LogLevel;
  logFormat: LogFormat;
  genericResources: GenericResource[];
  /** What is given but not served, and what is done instead, in words. */
  warnings: string[];
  /** What is served, but should be said otherwise. */
  notes: string[];
  network: NetworkConfig;
}

/** Where daemon.json lies. */
function configPath(flags: Given): string {
  return flags.get("config-file") ?? commandOptions["config-file"].fallback;
}

/**
 * Merges both places and checks the whole.
 * @throws InvalidArgument with dockerd's text
 */
export async function loadConfig(flags: Given): Promise<Config> {
  return mergeConfig(flags, await readFiles(flags));
}

/** daemon.json and the file of the engine's own keys. @throws InvalidArgument naming the file */
export async function readFiles(flags: Given): Promise<FileConfig> {
  const file = await readDaemonJson(configPath(flags), flags);
  file.given.set("longshore", await readEngineJson(flags, file.given.get("longshore")));
  return file;
}

/** What an option is when both places are taken together. */
function inForce({ kind, fallback }: Option, flag: unknown, file: unknown): unknown {
  if (kind.merge !== undefined && flag !== undefined && file !== undefined) return kind.merge(file, flag);
  // As with dockerd, what is empty or 0 in the file leaves the default in place.
  return flag ?? (file || undefined) ?? (file === false ? false : undefined) ?? fallback;
}

/** The fields of a section of the table. */
function valuesOf<S extends Record<string, Option>>(section: S, value: (flag: string) => unknown): Values<S> {
  return Object.fromEntries(
    Object.entries(section).map(([flag, option]) => [fieldOf(flag, option), value(flag)]),
  ) as Values<S>;
}

/** @throws InvalidArgument with dockerd's text */
export function mergeConfig(flags: Given, { given: file, ignored, ownKeys }: FileConfig): Config {
  const path = configPath(flags);
  const merged = new Map<string, unknown>(
    options.map((option) => [option.flag, inForce(option, flags.get(option.flag), file.get(option.flag))]),
  );
  const values = valuesOf(general, (flag) => merged.get(flag));
  const { longshore, logLevel, hosts, tls: _tls, ...rest } = values;
  const config: Config = {
    ...rest,
    hosts: [],
    access: longshore,
    // Named twice, a plugin is asked once.
    authorizationPlugins: [...new Set(values.authorizationPlugins)],
    containerd: values.containerd.replace(/^unix:\/\//, ""),
    genericResources: [],
    warnings: [],
    notes: ownKeys
      ? [
          `the key longshore of ${path} is still read; it belongs in ${engineConfigPath(flags)}, since Docker refuses a file that has it`,
        ]
      : [],
    logLevel: values.debug ? "debug" : levelOf(logLevel),
    logFormat: values.logFormat === "json" ? "json" : "text",
    network: valuesOf(networksOptions, (flag) => merged.get(flag)),
  };
  try {
    for (const option of options) option.check?.(merged.get(option.flag));
    checkTogether(config);
    config.genericResources = parseGenericResources(config.nodeGenericResources);
  } catch (error) {
    refuseFile(path, messageOf(error));
  }
  checkLabels(config.labels);
  checkUserns(config.usernsRemap);
  config.warnings = warningsOf(flags, file, ignored);
  const tls = tlsConfig(values, flags.has("tlsverify") || file.has("tlsverify"));
  try {
    const addresses = hosts.map((host) => parseAddress(host, tls !== undefined));
    // Named twice, a socket is opened once.
    config.hosts = [...new Map(addresses.map((address) => [JSON.stringify(address), address])).values()];
  } catch (error) {
    refuseFile(path, messageOf(error));
  }
  return tls === undefined ? config : { ...config, tls };
}

/**
 * dockerd's rule: TLS is on when `tls` says so or `tlsverify` is given at all, even as false; and
 * clients are verified unless `tlsverify` is given as false.
 */
function tlsConfig(
  { tls, tlsverify, tlscacert, tlscert, tlskey }: General,
  verifyGiven: boolean,
): TlsConfig | undefined {
  if (!tls && !verifyGiven) return undefined;
  return { verify: verifyGiven ? tlsverify : true, ca: tlscacert, cert: tlscert, key: tlskey };
}

function refuseFile(path: string, reason: string): never {
  throw new InvalidArgument(
    `unable to configure the Docker daemon with file ${path}: merged configuration validation from file and command line flags failed: ${reason}`,
  );
}
