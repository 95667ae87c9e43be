// Bun's own sockets: its node:net brings the whole of Node's streams along, a megabyte in each shim.
import type { Address, Listener, SocketEvents, StreamSocket } from "./socket.ts";

interface BunSocket {
  data: Stream;
  /** How many bytes the kernel took; less than zero after the end. */
  write(bytes: Uint8Array): number;
  terminate(): void;
  unref(): void;
}

interface Handlers {
  open(socket: BunSocket): void;
  data(socket: BunSocket, chunk: Buffer): void;
  drain(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
}

declare const Bun: {
  connect(options: { unix: string; socket: Handlers }): Promise<BunSocket>;
  listen(options: ({ unix: string } | { fd: number }) & { socket: Handlers }): { stop(closeActive: boolean): void };
};

/** Keeps what the kernel does not take yet, which Bun leaves to its user. */
class Stream implements StreamSocket {
  readonly #socket: BunSocket;
  readonly events: SocketEvents;
  readonly #waiting: Uint8Array[] = [];
  destroyed = false;
  failure: Error | undefined;

  constructor(socket: BunSocket, accept: (stream: StreamSocket) => SocketEvents) {
    this.#socket = socket;
    this.events = accept(this);
  }

  write(bytes: Uint8Array): boolean {
    if (this.destroyed) return true;
    this.#waiting.push(bytes);
    return this.#waiting.length > 1 ? false : this.#flush();
  }

  #flush(): boolean {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) return true;
      const taken = Math.max(0, this.#socket.write(first));
      if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken);
        return false;
      }
      this.#waiting.shift();
    }
  }

  drain(): void {
    if (!this.destroyed && this.#flush()) this.events.drained();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#socket.terminate();
  }

  unref(): void {
    this.#socket.unref();
  }
}

function handlers(accept: (stream: StreamSocket) => SocketEvents): Handlers {
  return {
    open: (socket) => (socket.data = new Stream(socket, accept)),
    data: ({ data }, chunk) => data.events.received(chunk),
    drain: ({ data }) => data.drain(),
    // a connection that failed was never opened
    close: ({ data }: Partial<BunSocket>, error) => {
      if (data === undefined) return;
      data.destroyed = true;
      data.events.closed(data.failure ?? error);
    },
    error: ({ data }: Partial<BunSocket>, error) => {
      if (data === undefined) return;
      data.failure = error;
      data.destroy();
    },
  };
}

/** Connects to a unix socket. @throws the system's error */
export async function connect(path: string, events: SocketEvents): Promise<StreamSocket> {
  return (await Bun.connect({ unix: path, socket: handlers(() => events) })).data;
}

/** Listens; `accept` gives who is told of a new connection's events. @throws the system's error */
export async function listen(where: Address, accept: (stream: StreamSocket) => SocketEvents): Promise<Listener> {
  const listener = Bun.listen({ ...("path" in where ? { unix: where.path } : where), socket: handlers(accept) });
  return { close: async () => listener.stop(false) };
}
