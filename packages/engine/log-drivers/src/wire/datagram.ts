import { type Socket, createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Unavailable, messageOf } from "@longshore/errdefs";
import { dialText, hostPort } from "@longshore/errdefs/dial";
import { sendUnixDatagram } from "@longshore/sys";
import type { Wire } from "./wire.ts";

/** UDP to one server. Who is not there is told of by the kernel, when anybody tells it. */
export class UdpWire implements Wire {
  readonly #socket: Socket;
  #gone: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (error) => (this.#gone = error));
    socket.unref();
  }

  static async open(host: string, port: number, signal: AbortSignal): Promise<UdpWire> {
    try {
      const { address } = await lookup(host);
      const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
      socket.connect(port, address);
      await once(socket, "connect", { signal });
      return new UdpWire(socket);
    } catch (error) {
      throw new Unavailable(dialText(error, "udp", hostPort(host, port)) ?? messageOf(error), { cause: error });
    }
  }

  async write(frames: readonly Buffer[]): Promise<void> {
    for (const frame of frames) {
      const { promise, reject, resolve } = Promise.withResolvers<void>();
      this.#socket.send(frame, (error) => (error ? reject(error) : resolve()));
      await promise;
    }
  }

  check(): void {
    const gone = this.#gone;
    this.#gone = undefined;
    if (gone !== undefined) throw new Unavailable(gone.message, { cause: gone });
  }

  async end(): Promise<void> {
    this.check();
    this.close();
  }

  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed already.
    }
  }
}

/** How long we wait for a receiver whose queue is full, in milliseconds. */
const fullMs = 10;

/** Datagrams to a unix socket, such as /dev/log and the journal's. */
export class UnixDatagramWire implements Wire {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async write(frames: readonly Buffer[], signal: AbortSignal): Promise<void> {
    for (const frame of frames) {
      while (!this.#send(frame)) await sleep(fullMs, undefined, { signal });
    }
  }

  #send(frame: Buffer): boolean {
    try {
      sendUnixDatagram(this.#path, frame);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
      throw new Unavailable(dialText(error, "unixgram", this.#path) ?? messageOf(error), { cause: error });
    }
  }

  check(): void {
    // Nobody is connected.
  }

  async end(): Promise<void> {
    // All has been taken.
  }

  close(): void {
    // Nothing is open.
  }
}
