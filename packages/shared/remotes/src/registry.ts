import { type Logger, silent } from "@longshore/logger";
import type { Descriptor } from "@longshore/oci";
import { type Reference, trimNamed } from "@longshore/reference";
import { type RetryPolicy, defaultRetryPolicy } from "./http/backoff.ts";
import type { Connections } from "./http/connections.ts";
import { type CredentialsCallback, anonymous } from "./auth/credentials.ts";
import { type FetchOptions, fetchContent } from "./content/fetch.ts";
import type { RegistryHosts } from "./hosts/host.ts";
import { HostClient } from "./http/host-client.ts";
import { type ContentOpener, type PushOptions, type PushResult, push } from "./content/push.ts";
import { Repository, doing } from "./repository.ts";
import { resolve } from "./content/resolve.ts";
import { discard, failureOf } from "./http/response.ts";
import { listTags } from "./content/tags.ts";

export interface RegistryOptions {
  readonly hosts: RegistryHosts;
  readonly connections: Connections;
  readonly credentials?: CredentialsCallback;
  /** Product tokens in front of our own, e.g. the docker client's. */
  readonly userAgent?: string;
  /** Sent with every request to the registry itself. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly retry?: RetryPolicy;
  readonly log?: Logger;
}

/** A client of OCI registries on behalf of one user. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #clients = new Map<string, Promise<HostClient[]>>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get #log(): Logger {
    return this.#options.log ?? silent;
  }

  async #hostClients(domain: string): Promise<HostClient[]> {
    const make = async (): Promise<HostClient[]> =>
      (await this.#options.hosts(domain)).map(
        (host) =>
          new HostClient({
            host,
            connections: this.#options.connections,
            credentials: this.#options.credentials ?? anonymous,
            userAgent: this.#options.userAgent ?? "longshore",
            headers: this.#options.headers ?? {},
            retry: this.#options.retry ?? defaultRetryPolicy,
            log: this.#log,
          }),
      );
    let clients = this.#clients.get(domain);
    if (clients === undefined) {
      clients = make();
      this.#clients.set(domain, clients);
    }
    return clients;
  }

  async #repository(reference: Reference): Promise<Repository> {
    return new Repository(trimNamed(reference), await this.#hostClients(reference.domain));
  }

  /** Finds the manifest or index that a name stands for. Errors: see `resolve`. */
  async resolve(reference: Reference, signal?: AbortSignal): Promise<Descriptor> {
    return resolve(await this.#repository(reference), reference, signal);
  }

  /** Streams content, resuming broken connections; size is checked, the digest is not (see `verified`). */
  async *fetch(reference: Reference, descriptor: Descriptor, options?: FetchOptions): AsyncGenerator<Uint8Array> {
    yield* fetchContent(
      await this.#repository(reference),
      descriptor,
      this.#options.retry ?? defaultRetryPolicy,
      this.#log,
      options,
    );
  }

  /** Brings one blob or manifest to the repository of `reference`. */
  async push(
    reference: Reference,
    descriptor: Descriptor,
    open: ContentOpener,
    options?: PushOptions,
  ): Promise<PushResult> {
    return push(await this.#repository(reference), descriptor, open, options);
  }

  /** Lists the tags of a repository. */
  async tags(reference: Reference, signal?: AbortSignal): Promise<string[]> {
    return listTags(await this.#repository(reference), signal);
  }

  /**
   * Asks a registry whether it takes the credentials (`docker login`).
   * @throws RegistryError with its refusal
   */
  async ping(domain: string, signal?: AbortSignal): Promise<void> {
    const client = (await this.#hostClients(domain)).at(-1);
    if (client === undefined) return;
    const response = await doing(client.send({ method: "GET", target: "/", signal }));
    if (response.status !== 200) throw await failureOf(response);
    await discard(response);
  }
}
