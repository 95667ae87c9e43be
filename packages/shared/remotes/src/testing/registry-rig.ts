import { type Reference, parseNormalized } from "@longshore/reference";
import { FaultRegistry } from "./fault-registry.ts";
import { Connections, type CredentialsCallback, Registry, fixedSchemeHosts } from "../index.ts";

/** Quick attempts: a test does not wait. */
export const retry = { attempts: 4, firstDelayMs: 1, maxDelayMs: 5, pace: { windowMs: 200, leastBytes: 1000 } };

/** A registry that fails as it is told, and a client of it, for one test. */
export class RegistryRig {
  readonly server: FaultRegistry;
  readonly connections = new Connections();
  readonly registry: Registry;

  private constructor(server: FaultRegistry) {
    this.server = server;
    this.registry = this.client();
  }

  static async open(): Promise<RegistryRig> {
    return new RegistryRig(await new FaultRegistry().listen());
  }

  /** One more client. */
  client(credentials?: CredentialsCallback): Registry {
    return new Registry({
      hosts: fixedSchemeHosts("http"),
      connections: this.connections,
      retry,
      ...(credentials === undefined ? {} : { credentials }),
    });
  }

  named(name: string): Reference {
    return parseNormalized(`${this.server.host}/${name}`);
  }

  async close(): Promise<void> {
    await this.connections.close();
    await this.server[Symbol.asyncDispose]();
  }
}
