import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { sendFd } from "@longshore/sys";

/** What libuv has below a socket. */
interface Handle {
  readonly fd: number;
  /** Whether Node takes it to be read, and starts it no more when the stream flows. */
  readonly reading: boolean;
  readStart(): void;
  readStop(): void;
}

function handleOf(socket: Duplex): Handle | undefined {
  if (!(socket instanceof Socket) || socket instanceof TLSSocket) return undefined;
  const handle = Reflect.get(socket, "_handle") as Handle | null;
  return handle && handle.fd >= 0 ? handle : undefined;
}

/**
 * A client's connection that another process can serve: a plain socket of which nothing has been
 * read that is not its to read. With `input`, nobody here reads from it until `takeBack`.
 */
export class DirectConnection {
  readonly #socket: Duplex;
  readonly #handle: Handle;
  readonly #input: boolean;

  private constructor(socket: Duplex, handle: Handle, input: boolean) {
    this.#socket = socket;
    this.#handle = handle;
    this.#input = input;
    if (input) handle.readStop();
  }

  /** Undefined when the bytes have to pass through this process: TLS, HTTP/2, input that has been read already. */
  static of(socket: Duplex, input: boolean): DirectConnection | undefined {
    const handle = handleOf(socket);
    return handle === undefined || socket.destroyed || (input && socket.readableLength > 0)
      ? undefined
      : new DirectConnection(socket, handle, input);
  }

  /** Gives the connection to whom `control`, an idle unix socket, leads to, once all that was written here is sent. */
  async handOver(control: Socket): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.write("", (error) => (error ? reject(error) : resolve()));
    });
    const handle = handleOf(control);
    if (handle === undefined || this.#socket.destroyed) throw new Error("a side of the connection has closed");
    sendFd(handle.fd, this.#handle.fd);
  }

  /** Reads here again. */
  takeBack(): void {
    if (this.#input && this.#handle.reading && !this.#socket.destroyed) this.#handle.readStart();
  }
}
