import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { Unavailable, messageOf } from "@longshore/errdefs";
import { dialText, hostPort } from "@longshore/errdefs/dial";
import type { Wire } from "./wire.ts";

/** How long a server may take to be reached, and for what it has been sent when nothing more comes, in milliseconds. */
const connectMs = 10_000;
const endMs = 2000;

export interface StreamAddress {
  /** For messages: `tcp`, `unix`. */
  network: string;
  host?: string;
  port?: number;
  path?: string;
  tls?: ConnectionOptions;
}

function nameOf({ host = "", path, port = 0 }: StreamAddress): string {
  return path ?? hostPort(host, port);
}

/** A connection of bytes: TCP, TLS or a unix socket. */
export class StreamWire implements Wire {
  readonly socket: Socket;
  readonly #name: string;
  #gone: Error | undefined;

  private constructor(socket: Socket, name: string) {
    this.socket = socket;
    this.#name = name;
    const gone = (error?: Error): void => {
      this.#gone ??= new Unavailable(`${name} has closed the connection`, { cause: error });
    };
    socket
      .on("error", gone)
      .once("end", () => gone())
      .once("close", () => gone());
    // What a server says is nobody's business, but it has to be read to see the end.
    socket.resume();
  }

  /** @throws Unavailable in Go's words when nobody answers there */
  static async open(address: StreamAddress, signal: AbortSignal): Promise<StreamWire> {
    const { host, network, path, port, tls } = address;
    const where = path === undefined ? { host: host ?? "", port: port ?? 0 } : { path };
    const socket = tls === undefined ? connect(where) : connectTls({ ...where, ...tls });
    try {
      await once(socket, tls === undefined ? "connect" : "secureConnect", {
        signal: AbortSignal.any([signal, AbortSignal.timeout(connectMs)]),
      });
    } catch (error) {
      socket.on("error", () => undefined).destroy();
      if ((error as Error).name === "AbortError")
        throw new Unavailable(`dial ${network} ${nameOf(address)}: i/o timeout`, { cause: error });
      throw new Unavailable(dialText(error, network, nameOf(address)) ?? messageOf(error), { cause: error });
    }
    socket.setKeepAlive(true, 30_000);
    return new StreamWire(socket, nameOf(address));
  }

  async write(frames: readonly Buffer[], signal: AbortSignal): Promise<void> {
    this.check();
    if (frames.length === 0) return;
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    this.socket.write(Buffer.concat(frames), (error) => (error ? reject(error) : resolve()));
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    this.check();
  }

  check(): void {
    if (this.#gone !== undefined) throw this.#gone;
  }

  async end(): Promise<void> {
    this.check();
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    // Whoever has read to the end closes its side, too; not all servers do.
    this.socket.once("end", resolve).once("error", reject).end();
    const timer = setTimeout(resolve, endMs);
    try {
      await promise;
    } catch (error) {
      throw new Unavailable(`${this.#name} has gone before the end`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.close();
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
