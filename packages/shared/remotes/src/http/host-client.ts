import { STATUS_CODES } from "node:http";
import { InvalidArgument, Unauthenticated, isKind, messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { type Dispatcher, request } from "undici";
import { Authorizer } from "../auth/authorizer.ts";
import { type RetryPolicy, isPassing, pause, retryAfterMs } from "./backoff.ts";
import type { Connections } from "./connections.ts";
import type { CredentialsCallback } from "../auth/credentials.ts";
import type { RegistryHost } from "../hosts/host.ts";
import { NetworkError, inRequest, isTransient, networkError } from "./network-error.ts";
import { codingsOf, decoded } from "./content-encoding.ts";
import { paced } from "./pace.ts";
import { type RegistryResponse, discard, headerOf, readText } from "./response.ts";

export interface HostRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path behind the API's base (`/library/x/manifests/1`), or a whole URL that the registry gave. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body anew for each try; a request with one is not sent again after trouble, only after a 401. */
  readonly body?: () => AsyncIterable<Uint8Array> | Uint8Array;
  readonly scopes?: readonly string[];
  /** The answer's content is checked by digest, so that a redirect from HTTPS to HTTP does no harm. */
  readonly verified?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface HostClientOptions {
  readonly host: RegistryHost;
  readonly connections: Connections;
  readonly credentials: CredentialsCallback;
  readonly userAgent: string;
  /** Headers for every request to the registry itself (`X-Meta-…`). */
  readonly headers: Readonly<Record<string, string>>;
  readonly retry: RetryPolicy;
  readonly log: Logger;
}

const maxRedirects = 10;
/** One for a first challenge, one more for a token that has run out. */
const maxAuthorizations = 2;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Talks to one registry host: authorization, retries, redirects, HTTPS or plain HTTP. */
export class HostClient {
  readonly host: RegistryHost;
  readonly #options: HostClientOptions;
  readonly #authorizer: Authorizer;
  #scheme: "http" | "https";
  /** Whether the host has answered yet, which settles the scheme. */
  #answered = false;

  constructor(options: HostClientOptions) {
    this.host = options.host;
    this.#options = options;
    this.#scheme = options.host.scheme;
    this.#authorizer = new Authorizer({
      host: options.host.host,
      credentials: options.credentials,
      overTls: () => this.#scheme === "https",
      exchange: async (method, url, headers, body) => {
        const answer = await this.#dispatch(method, url, headers, body, undefined);
        return { status: answer.status, statusText: STATUS_CODES[answer.status] ?? "", body: await readText(answer) };
      },
    });
  }

  get retry(): RetryPolicy {
    return this.#options.retry;
  }

  /** The API's address, e.g. `https://registry-1.docker.io/v2`. */
  get base(): string {
    return `${this.#scheme}://${this.host.host}${this.host.path}`;
  }

  /**
   * Sends a request and answers with the response, whatever its status; 401 is met with
   * credentials, passing trouble with further tries.
   * @throws NetworkError when the host cannot be reached
   */
  async send(wanted: HostRequest): Promise<RegistryResponse> {
    const { retry, log } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= retry.attempts || wanted.body !== undefined;
      try {
        const response = await this.#authorized(wanted);
        if (last || !isPassing(response.status)) return response;
        const asked = retryAfterMs(headerOf(response, "retry-after"));
        log.debug({ url: response.url.href, status: response.status, attempt }, "registry request will be sent again");
        await discard(response);
        await pause(retry, attempt, asked, wanted.signal);
      } catch (error) {
        if (last || !isTransient(error)) throw error;
        log.debug({ err: error, attempt }, "registry request will be sent again");
        await pause(retry, attempt, undefined, wanted.signal);
      }
    }
  }

  async #authorized(wanted: HostRequest): Promise<RegistryResponse> {
    const scopes = wanted.scopes ?? [];
    for (let authorizations = 0; ; authorizations += 1) {
      const authorization = await this.#authorizer.header(scopes);
      const response = await this.#followed(wanted, authorization);
      if (response.status !== 401 || authorizations >= maxAuthorizations) return response;
      const header = response.headers["www-authenticate"] ?? [];
      const again = await this.#authorizer
        .challenged(Array.isArray(header) ? header : [header], scopes, authorization)
        .catch(async (error: unknown) => {
          await discard(response);
          if (!isKind(error, "Unauthenticated")) throw error;
          throw new Unauthenticated(inRequest(wanted.method, response.url, messageOf(error)), { cause: error });
        });
      if (!again) return response;
      await discard(response);
    }
  }

  /** Whether a URL lies on this registry itself, so that credentials may go there. */
  #isOwn(url: URL): boolean {
    return url.origin === new URL(this.base).origin;
  }

  async #followed(wanted: HostRequest, authorization: string | undefined): Promise<RegistryResponse> {
    const given = wanted.target;
    let response = await this.#first(wanted, authorization);
    for (
      let hops = 0;
      redirects.has(response.status) && (wanted.method === "GET" || wanted.method === "HEAD");
      hops += 1
    ) {
      const location = headerOf(response, "location");
      if (location === undefined) return response;
      await discard(response);
      if (hops >= maxRedirects) throw new InvalidArgument(`stopped after ${maxRedirects} redirects: ${String(given)}`);
      const url = checkedUrl(location, response.url);
      if (response.url.protocol === "https:" && url.protocol === "http:" && wanted.verified !== true) {
        throw new InvalidArgument(`refusing a redirect from HTTPS to ${url.origin} for content without a digest`);
      }
      response = await this.#dispatch(
        wanted.method,
        url,
        this.#headersFor(url, wanted, authorization),
        undefined,
        wanted.signal,
      );
    }
    return response;
  }

  async #first(wanted: HostRequest, authorization: string | undefined): Promise<RegistryResponse> {
    const scheme = this.#scheme;
    const once = async (): Promise<RegistryResponse> => {
      const url = wanted.target instanceof URL ? wanted.target : this.#urlOf(wanted.target);
      return this.#dispatch(
        wanted.method,
        url,
        this.#headersFor(url, wanted, authorization),
        wanted.body?.(),
        wanted.signal,
      );
    };
    try {
      const response = await once();
      this.#answered = true;
      return response;
    } catch (error) {
      // Of requests that began together, the first one's failure decides for all.
      const canFall =
        this.host.plainFallback === true &&
        scheme === "https" &&
        (this.#scheme === "http" || !this.#answered) &&
        error instanceof NetworkError;
      if (!canFall) throw error;
      this.#scheme = "http";
      const response = await once();
      this.#answered = true;
      return response;
    }
  }

  #urlOf(path: string): URL {
    const url = new URL(this.base + path);
    if (this.host.namespace !== undefined) url.searchParams.set("ns", this.host.namespace);
    return url;
  }

  #headersFor(url: URL, wanted: HostRequest, authorization: string | undefined): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = { "user-agent": this.#options.userAgent, ...wanted.headers };
    // Storage behind a redirect gets neither the password nor the headers meant for the registry.
    if (!this.#isOwn(url)) return headers;
    for (const [name, values] of Object.entries(this.host.headers ?? {})) headers[name.toLowerCase()] = [...values];
    for (const [name, value] of Object.entries(this.#options.headers)) headers[name.toLowerCase()] = value;
    if (authorization !== undefined) headers["authorization"] = authorization;
    return headers;
  }

  async #dispatch(
    method: string,
    url: URL,
    headers: Record<string, string | string[]>,
    sent: AsyncIterable<Uint8Array> | Uint8Array | string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RegistryResponse> {
    const tls = this.#isOwn(url)
      ? this.host.tls
      : this.host.tls?.skipVerify === true
        ? { skipVerify: true }
        : undefined;
    try {
      const answer = await request(url, {
        method: method as Dispatcher.HttpMethod,
        headers,
        dispatcher: this.#options.connections.to(url.host, tls, this.host.proxies),
        ...(sent === undefined ? {} : { body: sent as never }),
        ...(signal === undefined ? {} : { signal }),
      });
      const { statusCode: status, headers: answered } = answer;
      const body = decoded(
        paced(answer.body, this.#options.retry.pace, method, url),
        codingsOf(answered["content-encoding"]),
        url,
      );
      return { method, url, status, headers: answered, body };
    } catch (error) {
      throw networkError(method, url, error);
    }
  }
}

/**
 * Reads a URL that somebody else wrote: only http and https can be meant.
 * @throws InvalidArgument
 */
export function checkedUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base)) throw new InvalidArgument(`invalid URL from the registry: ${text}`);
  const url = new URL(text, base);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new InvalidArgument(`unsupported protocol scheme in URL from the registry: ${text}`);
  return url;
}
