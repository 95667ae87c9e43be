/** TLS material of one registry host, PEM texts. */
export interface TlsOptions {
  /** Authorities trusted beside the system's. */
  readonly ca?: readonly string[];
  /** Client certificates. */
  readonly certificates?: readonly { readonly cert: string; readonly key: string }[];
  readonly skipVerify?: boolean;
}

export type Capability = "pull" | "resolve" | "push";

/** Proxies for connections that leave this machine, as in the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY; empty for none. */
export interface Proxies {
  readonly http: string;
  readonly https: string;
  readonly no: string;
}

/** One place where a registry's repositories can be had: the registry itself or a mirror. */
export interface RegistryHost {
  readonly scheme: "http" | "https";
  /** Host to connect to, with its port if any. */
  readonly host: string;
  /** Path of the API, usually `/v2`. */
  readonly path: string;
  readonly capabilities: readonly Capability[];
  readonly tls?: TlsOptions;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** Registry that a mirror is asked for, sent as `?ns=`. */
  readonly namespace?: string;
  /** Plain HTTP is tried once HTTPS cannot be had (insecure registries). */
  readonly plainFallback?: boolean;
  /** Absent: those of the environment. */
  readonly proxies?: Proxies;
}

/** Where a registry's (`docker.io`) repositories can be had, in the order in which to ask. */
export type RegistryHosts = (domain: string) => Promise<readonly RegistryHost[]>;

export const allCapabilities: readonly Capability[] = ["pull", "resolve", "push"];

/** The machine behind a registry's name: Docker Hub's API has a host of its own. */
export function apiHostOf(domain: string): string {
  return domain === "docker.io" ? "registry-1.docker.io" : domain;
}

/** Host name without port and brackets. */
export function hostnameOf(host: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host);
  return match?.[1] ?? match?.[2] ?? host;
}

/** Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(host: string): boolean {
  const name = hostnameOf(host);
  return name === "localhost" || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name);
}
