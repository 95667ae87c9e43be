import { chmod, chown, rm } from "node:fs/promises";
import { Unavailable, messageOf } from "@longshore/errdefs";
import type { Exchange } from "@longshore/events";
import type { Logger } from "@longshore/logger";
import { Events } from "@longshore/proto/containerd/services/events/ttrpc/v1/events";
import { Connection, Server } from "@longshore/ttrpc";

/**
 * Serves the ttrpc socket on which shims publish their events; a dead socket there is replaced.
 * @throws Unavailable when another process serves it
 */
export async function serveEvents(
  address: string,
  owner: { uid: number; gid: number },
  exchange: Exchange,
  log: Logger,
): Promise<Server> {
  const server = new Server().add(Events, {
    forward: ({ envelope }) => {
      try {
        exchange.forward(envelope);
      } catch (error) {
        log.warn({ topic: envelope?.topic, error: messageOf(error) }, "a shim's event was refused");
        throw error;
      }
      return {};
    },
  });
  const other = await Connection.open(address).catch(() => undefined);
  if (other !== undefined) {
    other.close();
    throw new Unavailable(`listen unix ${address}: address already in use`);
  }
  await rm(address, { force: true });
  await server.listen({ path: address });
  await chown(address, owner.uid, owner.gid);
  await chmod(address, 0o660);
  return server;
}
