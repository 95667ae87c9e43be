import { NotFound } from "@longshore/errdefs";
import { type Reference, repositoryOf } from "@longshore/reference";
import { RegistryError } from "./http/errors.ts";
import type { Capability } from "./hosts/host.ts";
import type { HostClient, HostRequest } from "./http/host-client.ts";
import { NetworkError } from "./http/network-error.ts";
import { type RegistryResponse, failureOf } from "./http/response.ts";

export type RepositoryRequest = Omit<HostRequest, "target" | "scopes"> & {
  /** Path within the repository, e.g. `/manifests/latest`. */
  readonly path: string;
};

/** One repository on the hosts that have it. */
export class Repository {
  readonly reference: Reference;
  readonly #clients: readonly HostClient[];

  constructor(reference: Reference, clients: readonly HostClient[]) {
    this.reference = reference;
    this.#clients = clients;
  }

  get name(): string {
    return repositoryOf(this.reference);
  }

  scope(actions: "pull" | "pull,push"): string {
    return `repository:${this.reference.path}:${actions}`;
  }

  /** The hosts that can do a thing, in the order in which to ask them. */
  hosts(capability: Capability): HostClient[] {
    const able = this.#clients.filter(({ host }) => host.capabilities.includes(capability));
    if (able.length === 0) throw new NotFound(`no ${capability} hosts: ${this.name}`);
    return able;
  }

  /** Sends one request about this repository to one host. */
  async send(client: HostClient, request: RepositoryRequest): Promise<RegistryResponse> {
    const { path, ...rest } = request;
    return client.send({ ...rest, target: `/${this.reference.path}${path}`, scopes: [this.scope("pull")] });
  }

  /**
   * Asks host after host until `use` gives a result; a mirror that fails is passed over.
   * @throws what the last host, the registry itself, said
   */
  async firstOf<T>(capability: Capability, use: (client: HostClient) => Promise<T>): Promise<T> {
    const refusals = new Map<string, RegistryError>();
    let failure: unknown = new NotFound(`no ${capability} hosts: ${this.name}`);
    for (const client of this.hosts(capability)) {
      const { host } = client.host;
      try {
        return await use(client);
      } catch (error) {
        if (error instanceof RegistryError) refusals.set(host, error);
        // A host that answered over HTTPS need not be reachable by plain HTTP, which is listed behind it.
        failure = (error instanceof NetworkError ? refusals.get(host) : undefined) ?? error;
      }
    }
    throw failure;
  }

  /** Sends a request and fails unless the status is among `expected`. */
  async expect(client: HostClient, request: RepositoryRequest, expected: readonly number[]): Promise<RegistryResponse> {
    const response = await this.send(client, request);
    if (!expected.includes(response.status)) throw await failureOf(response);
    return response;
  }
}

/** Puts the operation in front of a connection's failure, as containerd does. */
export function doing<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof NetworkError)
      throw new NetworkError(`failed to do request: ${error.message}`, error.code, error);
    throw error;
  });
}
