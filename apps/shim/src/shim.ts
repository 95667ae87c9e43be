import { Relay, setChildSubreaper } from "@longshore/sys";
import { Children } from "./task/children.ts";
import { log } from "./log.ts";
import { ownCommand, plainEnvironment } from "./self.ts";

/** What a client asks for when it attaches; see docs/stdio.md. */
export type Connected = (client: number, greeting: string) => void;

/** The process-wide parts: the relay with its events, and the children. */
export class Shim {
  readonly children = new Children();
  readonly relay: Relay;
  readonly #drained = new Map<number, () => void>();
  readonly #closed = new Map<number, Promise<void>>();
  readonly #close = new Map<number, () => void>();
  readonly #ready = new Map<number, (bytes: number) => void>();
  readonly #listeners = new Map<number, Connected>();
  #id = 0;

  constructor() {
    setChildSubreaper();
    this.relay = new Relay(
      {
        exit: (exit) => this.children.exited(exit),
        drained: (channel) => this.#drained.get(channel)?.(),
        closed: (channel) => this.#close.get(channel)?.(),
        ready: (watch, bytes) => this.#ready.get(watch)?.(bytes),
        connected: ({ listener, client, greeting }) => this.#listeners.get(listener)?.(client, greeting),
        rotated: (channel, path) => void this.#compress(channel, `${path}.1`),
        logError: ({ errno, lost, path }) =>
          log(
            "error",
            errno === 0
              ? `log ${path} can be written again, ${lost} records were lost`
              : `log ${path} cannot be written: errno ${errno}`,
          ),
      },
      { reap: true },
    );
  }

  /** An id for a channel, listener or watch. */
  nextId(): number {
    return ++this.#id;
  }

  /** The process has ended: resolves when log and clients have all it wrote. */
  async drained(channel: number): Promise<void> {
    const done = new Promise<void>((resolve) => this.#drained.set(channel, resolve));
    this.relay.exited(channel);
    await done;
    this.#drained.delete(channel);
  }

  /** Begins to listen for the end of a channel's outputs. */
  expectClose(channel: number): void {
    this.#closed.set(channel, new Promise((resolve) => this.#close.set(channel, resolve)));
  }

  /** Resolves when all outputs of the channel ended, or after `patience` ms. */
  async closed(channel: number, patience: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, patience)));
    await Promise.race([this.#closed.get(channel), late]);
    clearTimeout(timer);
    this.#closed.delete(channel);
    this.#close.delete(channel);
  }

  listen(id: number, fd: number, path: string, connected: Connected): void {
    this.#listeners.set(id, connected);
    this.relay.listen(id, fd, path);
  }

  unlisten(id: number): void {
    this.relay.unlisten(id);
    this.#listeners.delete(id);
  }

  /** Calls back whenever something was read from `fd`, which is given away; returns how to end that. */
  watch(fd: number, ready: (bytes: number) => void): () => void {
    const id = this.nextId();
    this.#ready.set(id, ready);
    this.relay.watch(id, fd);
    return () => {
      this.#ready.delete(id);
      this.relay.unwatch(id);
    };
  }

  /** Resolves with how many bytes came first from `fd`, 0 for its end; the descriptor is closed. */
  readable(fd: number): Promise<number> {
    return new Promise((resolve) => {
      const end = this.watch(fd, (bytes) => {
        end();
        resolve(bytes);
      });
    });
  }

  /** Compression happens in a process of its own: its memory ends with it. */
  async #compress(channel: number, path: string): Promise<void> {
    try {
      const [command, ...args] = ownCommand() as [string, ...string[]];
      const { status } = await this.children.spawn(command, {
        argv: [command, ...args, "compress", path],
        env: plainEnvironment(),
      }).exit;
      if (status !== 0) log("error", `${path} could not be compressed`);
    } catch (error) {
      log("error", `${path} could not be compressed`, error);
    } finally {
      this.relay.compressed(channel);
    }
  }
}
