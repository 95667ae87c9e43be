import type { Address } from "./address.ts";
import { hostAndPort } from "./address.ts";
import type { TlsConfig } from "./tls.ts";

/**
 * What has to be said about an address where the API is open to whoever reaches it: the start of
 * the text is Docker's, which tools look for.
 */
export function exposure(address: Address, tls: TlsConfig | undefined): string | undefined {
  if (address.scheme !== "tcp" || tls?.verify === true) return undefined;
  const [scheme, lack] = tls === undefined ? ["http", "encryption"] : ["https", "TLS client verification"];
  return [
    `[DEPRECATION NOTICE]: API is accessible on ${scheme}://${hostAndPort(address)} without ${lack}.`,
    "         Access to the remote API is equivalent to root access on the host.",
    "         Use --tlsverify with certificates, or reach a unix socket over SSH (DOCKER_HOST=ssh://).",
  ].join("\n");
}
