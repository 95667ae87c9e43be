import type { Socket } from "node:net";
import { hungUp } from "@longshore/sys";
import { isTaken } from "../server/takeover/takeover.ts";

/** How often it is looked whether a client that sends no more is still there. */
const intervalMs = 1000;

/**
 * Clients that have sent all they have to say and wait for the answer (`nc`, many raw clients): the
 * end of input is not the end of the connection. The kernel tells of such a connection's real end
 * only who asks.
 */
export class HalfClosed {
  readonly #sockets = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  /** Destroys the connection once its client is gone; streams both ways see to their end themselves. */
  watch(socket: Socket): void {
    socket.once("end", () => {
      if (isTaken(socket) || destroyWhenGone(socket)) return;
      this.#sockets.add(socket);
      socket.once("close", () => this.#forget(socket));
      this.#timer ??= setInterval(() => this.#look(), intervalMs).unref();
    });
  }

  #look(): void {
    for (const socket of this.#sockets) destroyWhenGone(socket);
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function destroyWhenGone(socket: Socket): boolean {
  const handle = Reflect.get(socket, "_handle") as { fd?: number } | null;
  if (socket.destroyed || handle?.fd === undefined || handle.fd < 0 || !seenHungUp(handle.fd)) return socket.destroyed;
  socket.destroy();
  return true;
}

/** What cannot be looked at now is looked at again. */
function seenHungUp(fd: number): boolean {
  try {
    return hungUp(fd);
  } catch {
    return false;
  }
}
