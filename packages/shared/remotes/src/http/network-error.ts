import { Canceled, Unavailable } from "@longshore/errdefs";
import { dialText, hostPort } from "@longshore/errdefs/dial";

interface SystemError extends Error {
  code?: string;
  address?: string;
  port?: number;
}

/** The registry could not be reached, or the connection broke. `code` is Node's or undici's. */
export class NetworkError extends Unavailable {
  readonly code: string;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const unknownAuthority = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

/** Codes of broken or stalled connections, after which the same request may well succeed. */
const transient = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function firstOf(error: unknown): SystemError {
  // With several addresses Node reports one error each; the first is what Go reports.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error instanceof Error ? error : new Error(String(error));
}

/** The words for who could not be reached; Go's client has a time limit of its own before the kernel's. */
function dialed(error: SystemError, url: URL): string | undefined {
  const port = url.port || (url.protocol === "https:" ? 443 : 80);
  if (error.code === "ETIMEDOUT" || error.code === "UND_ERR_CONNECT_TIMEOUT")
    return `dial tcp ${hostPort(error.address ?? url.hostname, error.port ?? port)}: i/o timeout`;
  return dialText(error, "tcp", hostPort(url.hostname, port));
}

function causeText(error: SystemError, url: URL): string {
  const code = error.code ?? "";
  if (unknownAuthority.has(code))
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  if (code === "CERT_HAS_EXPIRED")
    return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}: ${error.message}`;
  }
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return "http: server gave HTTP response to HTTPS client";
  }
  if (code === "ECONNRESET") return "read: connection reset by peer";
  if (code === "UND_ERR_SOCKET") return "EOF";
  if (code === "UND_ERR_HEADERS_TIMEOUT") return "net/http: timeout awaiting response headers";
  return dialed(error, url) ?? error.message;
}

/** Names the request before what was wrong with it: `Get "https://…": …`. */
export function inRequest(method: string, url: URL, problem: string): string {
  return `${method.charAt(0)}${method.slice(1).toLowerCase()} "${url.href}": ${problem}`;
}

/** Words a failed request as Go's HTTP client does, since users and scripts know these texts: `Get "https://…": dial tcp …`. */
export function networkError(method: string, url: URL, error: unknown): NetworkError | Canceled {
  const first = firstOf(error);
  if (first.name === "AbortError" || first.code === "ABORT_ERR" || first.code === "UND_ERR_ABORTED") {
    return new Canceled("context canceled", { cause: error });
  }
  return new NetworkError(inRequest(method, url, causeText(first, url)), first.code ?? "", error);
}

/** Whether the same request may succeed when sent again at once. */
export function isTransient(error: unknown): boolean {
  return error instanceof NetworkError && transient.has(error.code);
}
