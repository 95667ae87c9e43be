export { Registry, type RegistryOptions } from "./registry.ts";
export { Connections, maxHeadBytes } from "./http/connections.ts";
export { type Credentials, type CredentialsCallback, anonymous } from "./auth/credentials.ts";
export { type Capability, type RegistryHost, type RegistryHosts, type TlsOptions, isLoopback } from "./hosts/host.ts";
export {
  type DockerRegistryConfig,
  dockerHosts,
  fixedSchemeHosts,
  insecureHost,
  isNetwork,
  parseMirror,
} from "./hosts/docker-hosts.ts";
export { hostsDirHosts, readHostsToml } from "./hosts/hosts-toml.ts";
export { writeHostsDir } from "./hosts/write-hosts.ts";
export { type RetryPolicy, defaultRetryPolicy } from "./http/backoff.ts";
export { RegistryError, type RegistryErrorEntry } from "./http/errors.ts";
export { NetworkError, networkError } from "./http/network-error.ts";
export type { FetchOptions } from "./content/fetch.ts";
export { type ContentOpener, type PushOptions, type PushResult, tagOf } from "./content/push.ts";
export { isManifestType, isNondistributable, maxManifestBytes } from "./content/media-types.ts";
export { digestOf, readVerified, verified } from "./content/verify.ts";
