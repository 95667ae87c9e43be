import { chmod, chown, rm } from "node:fs/promises";
import { messageOf } from "@longshore/errdefs";
import type { Exchange } from "@longshore/events";
import type { Logger } from "@longshore/log";
import { Events } from "@longshore/proto/containerd/services/events/ttrpc/v1/events";
import { Server } from "@longshore/ttrpc";

/** Serves the ttrpc socket on which shims publish their events. */
export async function serveEvents(address: string, owner: { uid: number; gid: number }, exchange: Exchange, log: Logger): Promise<Server> {
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
  // Whoever holds the lock of the state directory is alone: what lies there is a dead socket.
  await rm(address, { force: true });
  await server.listen({ path: address });
  await chown(address, owner.uid, owner.gid);
  await chmod(address, 0o660);
  return server;
}
