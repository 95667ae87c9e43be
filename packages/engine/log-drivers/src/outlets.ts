import { Delivery, LogMessages, type Outlet, type Outlets, type PlacedLine, type Position } from "@longshore/logging";
import type { DriverContext, LogDriver, LogTarget } from "./contract.ts";

class ServerOutlet implements Outlet {
  readonly #target: LogTarget;
  readonly #messages = new LogMessages();
  readonly #delivery = new Delivery();
  /** How many lines were handed over; the delivery counts lines instead of bytes. */
  #sent = 0;

  constructor(target: LogTarget) {
    this.#target = target;
  }

  async send(lines: readonly PlacedLine[], signal: AbortSignal): Promise<void> {
    const messages = lines.map(({ text }) => this.#messages.read(text)).filter((message) => message !== undefined);
    for (const { next } of lines) this.#delivery.sent(1, next);
    await this.#target.send(messages, signal);
    this.#sent += lines.length;
    this.#delivery.taken(this.#sent - (this.#target.held ?? 0));
  }

  async flush(signal: AbortSignal): Promise<void> {
    await this.#target.flush?.(signal);
    this.#delivery.taken(this.#sent - (this.#target.held ?? 0));
  }

  sure(): Position | undefined {
    this.#target.check();
    return this.#target.confirms ? this.#delivery.last : this.#delivery.sure();
  }

  get waiting(): boolean {
    return this.#delivery.waiting;
  }

  async leave(): Promise<Position | undefined> {
    return this.end();
  }

  async end(): Promise<Position | undefined> {
    await this.#target.end();
    return this.#delivery.last;
  }

  async close(): Promise<void> {
    this.#target.close();
  }
}

/**
 * The way to a log server.
 * @param name of the driver
 * @param context asked for at each connection
 * @param first a connection that stands already
 */
export function serverOutlets(
  name: string,
  driver: LogDriver,
  context: () => DriverContext,
  first: LogTarget | undefined,
): Outlets {
  let ready = first;
  const take = (): LogTarget | undefined => {
    const target = ready;
    ready = undefined;
    return target;
  };
  return {
    driver: name,
    begin: async (state) => state,
    open: async (_state, _save, signal) => new ServerOutlet(take() ?? (await driver.open(context(), signal))),
    discard: async () => take()?.close(),
  };
}
