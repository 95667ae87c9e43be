export { Registry, type RegistryOptions } from "./registry.ts";
export { Connections, maxHeadBytes } from "./connections.ts";
export { type Credentials, type CredentialsCallback, anonymous } from "./credentials.ts";
export { type Capability, type RegistryHost, type RegistryHosts, type TlsOptions, isLoopback } from "./host.ts";
export {
  type DockerRegistryConfig,
  dockerHosts,
  fixedSchemeHosts,
  insecureHost,
  isNetwork,
  parseMirror,
} from "./docker-hosts.ts";
export { hostsDirHosts, readHostsToml } from "./hosts-toml.ts";
export { writeHostsDir } from "./write-hosts.ts";
export { type RetryPolicy, defaultRetryPolicy } from "./backoff.ts";
export { RegistryError, type RegistryErrorEntry } from "./errors.ts";
export { NetworkError, networkError } from "./network-error.ts";
export type { FetchOptions } from "./fetch.ts";
export { type ContentOpener, type PushOptions, type PushResult, tagOf } from "./push.ts";
export { isManifestType, isNondistributable, maxManifestBytes } from "./media-types.ts";
export { digestOf, readVerified, verified } from "./verify.ts";
