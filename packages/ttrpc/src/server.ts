import { type Server as NetServer, createServer } from "node:net";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { ServerConnection } from "./server-connection.ts";
import { type ServiceHandlers, Services } from "./service.ts";

/** A ttrpc server: add services, then listen. */
export class Server {
  readonly #services = new Services();
  readonly #connections = new Set<ServerConnection>();
  readonly #server: NetServer;

  constructor() {
    this.#server = createServer((socket) => {
      const connection = new ServerConnection(socket, this.#services);
      this.#connections.add(connection);
      socket.once("close", () => this.#connections.delete(connection));
    });
  }

  /**
   * Serves `service`; thrown `errdefs` errors become their status codes. `name` is for a second
   * version of a service whose messages are the same, and saves loading its descriptors.
   */
  add<S extends GenService<GenServiceMethods>>(service: S, handlers: ServiceHandlers<S>, name: string = service.typeName): this {
    this.#services.add(service, handlers, name);
    return this;
  }

  /** Listens on a unix socket path, or on an inherited descriptor that listens already. */
  listen(where: { path: string } | { fd: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(where, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** Stops accepting, drops all connections; resolves when everything is closed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}
