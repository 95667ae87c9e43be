import { BlockList, isIPv4, isIPv6 } from "node:net";
import { lookup } from "node:dns/promises";
import { InvalidArgument } from "@longshore/errdefs";
import {
  type Proxies,
  type RegistryHost,
  type RegistryHosts,
  allCapabilities,
  apiHostOf,
  hostnameOf,
  isLoopback,
} from "./host.ts";
import { readTlsDir } from "./tls-dir.ts";

/** dockerd's registry options, by the names of daemon.json. */
export interface DockerRegistryConfig {
  /** `registry-mirrors`: URLs asked before Docker Hub. */
  readonly mirrors?: readonly string[];
  /** `insecure-registries`: `host[:port]` or CIDR. This machine's own addresses always count. */
  readonly insecureRegistries?: readonly string[];
  /** Folders with one folder of certificates per host; default `/etc/docker/certs.d`. */
  readonly certsDirs?: readonly string[];
  /** Absent: those of the environment of whoever asks. */
  readonly proxies?: Proxies;
}

/**
 * Reads a `registry-mirrors` entry: an http(s) URL without credentials, query or fragment.
 * @throws InvalidArgument
 */
export function parseMirror(text: string): URL {
  const invalid = (why: string): InvalidArgument => new InvalidArgument(`invalid mirror: ${why}`);
  if (!/^[^:]+:\/\//.test(text))
    throw invalid(`no scheme specified for "${text}": must use either 'https://' or 'http://'`);
  if (!URL.canParse(text)) throw invalid(`"${text}" is not a valid URI`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw invalid(
      `unsupported scheme "${url.protocol.slice(0, -1)}" in "${text}": must use either 'https://' or 'http://'`,
    );
  if (url.username !== "" || url.password !== "") throw invalid("username/password not allowed in URI");
  if (url.search !== "" || url.hash !== "") throw invalid(`query or fragment at end of the URI "${text}"`);
  return url;
}

/** An `insecure-registries` entry as a host: a scheme before it is left away. */
export function insecureHost(entry: string): string {
  return entry.replace(/^https?:\/\//, "");
}

/** Whether an `insecure-registries` entry is a network, as CIDR. */
export function isNetwork(entry: string): boolean {
  const [, address = ""] = /^([^/]+)\/\d{1,3}$/.exec(entry) ?? [];
  return isIPv4(address) || isIPv6(address);
}

class InsecureRegistries {
  readonly #hosts = new Set<string>();
  readonly #networks = new BlockList();

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const cidr = /^([^/]+)\/(\d{1,3})$/.exec(entry);
      const [, address = "", prefix = ""] = cidr ?? [];
      if (isIPv4(address)) this.#networks.addSubnet(address, Number(prefix), "ipv4");
      else if (isIPv6(address)) this.#networks.addSubnet(address, Number(prefix), "ipv6");
      else this.#hosts.add(insecureHost(entry));
    }
  }

  async includes(host: string): Promise<boolean> {
    if (isLoopback(host) || this.#hosts.has(host)) return true;
    const name = hostnameOf(host);
    // Docker, too, counts a name as insecure when one of its addresses lies in an insecure network.
    const addresses = this.#networks.rules.length === 0 ? [] : await lookup(name, { all: true }).catch(() => []);
    return addresses.some(({ address, family }) => this.#networks.check(address, family === 6 ? "ipv6" : "ipv4"));
  }
}

/** Hosts as dockerd chooses them: mirrors for Docker Hub, then the registry; insecure ones without verification and with plain HTTP as the last way. */
export function dockerHosts(config: DockerRegistryConfig = {}): RegistryHosts {
  const mirrors = (config.mirrors ?? []).map(parseMirror);
  const insecure = new InsecureRegistries(config.insecureRegistries ?? []);
  const certsDirs = config.certsDirs ?? ["/etc/docker/certs.d"];

  const proxies = config.proxies === undefined ? {} : { proxies: config.proxies };

  async function secured(host: string): Promise<Pick<RegistryHost, "tls" | "plainFallback">> {
    const tls = await readTlsDir(certsDirs, host);
    return (await insecure.includes(host)) ? { tls: { ...tls, skipVerify: true }, plainFallback: true } : { tls };
  }
  async function mirror(url: URL): Promise<RegistryHost> {
    const scheme = url.protocol === "http:" ? "http" : "https";
    const path = `${url.pathname.replace(/\/+$/, "")}/v2`;
    return {
      scheme,
      host: url.host,
      path,
      capabilities: ["pull", "resolve"],
      ...proxies,
      ...(scheme === "https" ? await secured(url.host) : {}),
    };
  }
  return async (domain) => {
    const origin: RegistryHost = {
      scheme: "https",
      host: apiHostOf(domain),
      path: "/v2",
      capabilities: allCapabilities,
      ...proxies,
      ...(await secured(domain)),
    };
    return domain === "docker.io" ? [...(await Promise.all(mirrors.map(mirror))), origin] : [origin];
  };
}

/** One host by a fixed scheme, for clients that ask for it (`ctr --plain-http`); this machine's own need not have TLS all the same. */
export function fixedSchemeHosts(scheme: "http" | "https"): RegistryHosts {
  return async (domain) => {
    const local: Pick<RegistryHost, "tls" | "plainFallback"> =
      scheme === "https" && isLoopback(domain) ? { tls: { skipVerify: true }, plainFallback: true } : {};
    return [{ scheme, host: apiHostOf(domain), path: "/v2", capabilities: allCapabilities, ...local }];
  };
}
