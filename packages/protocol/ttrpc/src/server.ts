import { listen } from "#socket";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { ServerConnection } from "./server-connection.ts";
import { type ServiceHandlers, Services } from "./service.ts";
import type { Address, Listener } from "./socket.ts";

/** A ttrpc server: add services, then listen. */
export class Server {
  readonly #services = new Services();
  readonly #connections = new Set<ServerConnection>();
  #listener: Listener | undefined;

  /**
   * Serves `service`; thrown `errdefs` errors become their status codes. `name` is for a second
   * version of a service whose messages are the same, and saves loading its descriptors.
   */
  add<S extends GenService<GenServiceMethods>>(
    service: S,
    handlers: ServiceHandlers<S>,
    name: string = service.typeName,
  ): this {
    this.#services.add(service, handlers, name);
    return this;
  }

  /** Listens on a unix socket path, or on an inherited descriptor that listens already. */
  async listen(where: Address): Promise<void> {
    this.#listener = await listen(where, (socket) => {
      const connection = new ServerConnection(socket, this.#services, () => this.#connections.delete(connection));
      this.#connections.add(connection);
      return connection.events;
    });
  }

  /** Stops accepting, drops all connections; resolves when everything is closed. */
  async close(): Promise<void> {
    const closed = this.#listener?.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}
