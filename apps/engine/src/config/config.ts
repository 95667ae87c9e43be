import { InvalidArgument, messageOf } from "@longshore/errdefs";
import type { LogFormat, LogLevel } from "@longshore/logger";
import type { DefaultBridgeOptions } from "@longshore/networks";
import { type Address, parseAddress } from "../listeners/address.ts";
import type { TlsConfig } from "../listeners/tls.ts";
import type { AccessConfig } from "./access-json.ts";
import { checkConfig, checkGiven, checkLabels, checkUserns, levelOf } from "./checks.ts";
import { type FileConfig, readDaemonJson } from "./daemon-json.ts";
import type { Given } from "./flags.ts";
import { type GenericResource, parseGenericResources } from "./generic-resources.ts";
import { options } from "./options.ts";
import type { AddressPool, RuntimeConfig, UlimitConfig } from "./values.ts";
import { warningsOf } from "./warnings.ts";

/** The engine's configuration: dockerd's options, merged from the command line and daemon.json. */
export interface Config {
  /** The `-H` addresses. */
  hosts: Address[];
  /** Of the TCP addresses; undefined without TLS. */
  tls?: TlsConfig;
  access: AccessConfig;
  /** Names, asked in this order about each request. */
  authorizationPlugins: string[];
  group: string;
  dataRoot: string;
  execRoot: string;
  pidfile: string;
  containerd: string;
  containerdNamespace: string;
  containerdPluginsNamespace: string;
  /** For what leaves this machine; empty: as the environment says. */
  proxies: { http: string; https: string; no: string };
  features: Record<string, boolean>;
  genericResources: GenericResource[];
  /** What is given but not served, and what is done instead, in words. */
  warnings: string[];
  logLevel: LogLevel;
  logFormat: LogFormat;
  debug: boolean;
  experimental: boolean;
  logDriver: string;
  logOpts: Record<string, string>;
  labels: string[];
  defaultRuntime: string;
  runtimes: Record<string, RuntimeConfig>;
  execOpts: string[];
  defaultShmSize: number;
  defaultIpcMode: string;
  defaultCgroupnsMode: string;
  defaultUlimits: Record<string, UlimitConfig>;
  cgroupParent: string;
  init: boolean;
  initPath: string;
  noNewPrivileges: boolean;
  seccompProfile: string;
  storageDriver: string;
  insecureRegistries: string[];
  registryMirrors: string[];
  maxConcurrentDownloads: number;
  maxConcurrentUploads: number;
  maxDownloadAttempts: number;
  shutdownTimeout: number;
  network: NetworkConfig;
}

/** What the default bridge and all networks are made of. */
interface NetworkConfig extends DefaultBridgeOptions {
  ipForward: boolean;
  ipForwardNoDrop: boolean;
  iptables: boolean;
  ip6tables: boolean;
  userlandProxy: boolean;
  allowDirectRouting: boolean;
  userlandProxyPath: string;
  defaultAddressPools: AddressPool[];
  /** By driver: options of networks that do not say otherwise. */
  defaultNetworkOpts: Record<string, Record<string, string>>;
  dns: string[];
  dnsSearch: string[];
  dnsOpts: string[];
  /** What `host-gateway` stands for; empty: the addresses of the default bridge. */
  hostGatewayIps: string[];
}

/** Where daemon.json lies. */
export function configPath(flags: Given): string {
  return String(flags.get("config-file") ?? "/etc/docker/daemon.json");
}

/**
 * Merges both places and checks the whole.
 * @throws InvalidArgument with dockerd's text
 */
export async function loadConfig(flags: Given): Promise<Config> {
  const path = configPath(flags);
  return mergeConfig(flags, await readDaemonJson(path, flags), path);
}

/** @param path of the file, for the texts of errors. @throws InvalidArgument with dockerd's text */
export function mergeConfig(flags: Given, { given: file, ignored }: FileConfig, path: string): Config {
  const read = <T>(flag: string, fallback?: T): T => {
    const both =
      flag === "add-runtime" && flags.has(flag) && file.has(flag)
        ? { ...(file.get(flag) as object), ...(flags.get(flag) as object) }
        : undefined;
    // As with dockerd, what is empty or 0 in the file leaves the default in place.
    const value =
      both ??
      flags.get(flag) ??
      (file.get(flag) || undefined) ??
      (file.get(flag) === false ? false : undefined) ??
      options.find((option) => option.flag === flag)?.fallback ??
      fallback;
    return value as T;
  };
  const config: Config = {
    hosts: [],
    access: read("longshore", { sockets: [] }),
    // Named twice, a plugin is asked once.
    authorizationPlugins: [...new Set(read<string[]>("authorization-plugin", []))],
    group: read("group"),
    dataRoot: read("data-root"),
    execRoot: read("exec-root"),
    pidfile: read("pidfile"),
    containerd: read<string>("containerd").replace(/^unix:\/\//, ""),
    containerdNamespace: read("containerd-namespace"),
    containerdPluginsNamespace: read("containerd-plugins-namespace"),
    proxies: { http: read("http-proxy"), https: read("https-proxy"), no: read("no-proxy") },
    features: read("feature", {}),
    genericResources: [],
    warnings: [],
    logLevel: read<boolean>("debug") ? "debug" : levelOf(read("log-level")),
    logFormat: read("log-format"),
    debug: read("debug"),
    experimental: read("experimental"),
    logDriver: read("log-driver"),
    logOpts: read("log-opt", {}),
    labels: read("label", []),
    defaultRuntime: read("default-runtime"),
    runtimes: read("add-runtime", {}),
    execOpts: read("exec-opt", []),
    defaultShmSize: read("default-shm-size"),
    defaultIpcMode: read("default-ipc-mode"),
    defaultCgroupnsMode: read("default-cgroupns-mode"),
    defaultUlimits: read("default-ulimit", {}),
    cgroupParent: read("cgroup-parent"),
    init: read("init"),
    initPath: read("init-path"),
    noNewPrivileges: read("no-new-privileges"),
    seccompProfile: read("seccomp-profile"),
    storageDriver: read("storage-driver"),
    insecureRegistries: read("insecure-registry", []),
    registryMirrors: read("registry-mirror", []),
    maxConcurrentDownloads: read("max-concurrent-downloads"),
    maxConcurrentUploads: read("max-concurrent-uploads"),
    maxDownloadAttempts: read("max-download-attempts"),
    shutdownTimeout: read("shutdown-timeout"),
    network: {
      bip: read("bip"),
      bip6: read("bip6"),
      bridge: read("bridge"),
      fixedCidr: read("fixed-cidr"),
      fixedCidrV6: read("fixed-cidr-v6"),
      defaultGateway: read("default-gateway"),
      defaultGatewayV6: read("default-gateway-v6"),
      ipv6: read("ipv6"),
      mtu: read("mtu"),
      icc: read("icc"),
      ip: read("ip"),
      ipForward: read("ip-forward"),
      ipForwardNoDrop: read("ip-forward-no-drop"),
      ipMasq: read("ip-masq"),
      iptables: read("iptables"),
      ip6tables: read("ip6tables"),
      userlandProxy: read("userland-proxy"),
      allowDirectRouting: read("allow-direct-routing"),
      userlandProxyPath: read("userland-proxy-path"),
      defaultAddressPools: read("default-address-pool", []),
      defaultNetworkOpts: read("default-network-opt", {}),
      dns: read("dns", []),
      dnsSearch: read("dns-search", []),
      dnsOpts: read("dns-opt", []),
      hostGatewayIps: read("host-gateway-ip", []),
    },
  };
  const given = new Map([...file, ...flags]);
  try {
    checkGiven(given);
    checkConfig(config);
    config.genericResources = parseGenericResources(read("node-generic-resource", []));
  } catch (error) {
    refuseFile(path, messageOf(error));
  }
  checkLabels(config.labels);
  checkUserns(String(given.get("userns-remap") ?? ""));
  config.warnings = warningsOf(given, ignored);
  const tls = tlsConfig(read, (flag) => flags.has(flag) || file.has(flag));
  const hosts = read<string[]>("host", ["unix://"]);
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
function tlsConfig(read: <T>(flag: string) => T, given: (flag: string) => boolean): TlsConfig | undefined {
  if (!read<boolean>("tls") && !given("tlsverify")) return undefined;
  return {
    verify: given("tlsverify") ? read("tlsverify") : true,
    ca: read("tlscacert"),
    cert: read("tlscert"),
    key: read("tlskey"),
  };
}

function refuseFile(path: string, reason: string): never {
  throw new InvalidArgument(
    `unable to configure the Docker daemon with file ${path}: merged configuration validation from file and command line flags failed: ${reason}`,
  );
}
