import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { shared } from "../engine/shared.ts";

/** A connection to the engine whose bytes are written by hand. */
export class RawConnection {
  readonly #socket = connect({ path: shared.host.replace("unix://", ""), allowHalfOpen: true });
  readonly #changed = new EventEmitter();
  /** What has come, each byte as a character. */
  text = "";
  #ended = false;

  constructor() {
    this.#socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.#changed.emit("change");
    });
    for (const event of ["end", "error", "close"]) {
      this.#socket.on(event, () => {
        this.#ended = true;
        this.#changed.emit("change");
      });
    }
  }

  write(text: string): this {
    this.#socket.write(text);
    return this;
  }

  /** Ends the input; the answer still comes. */
  halfClose(): this {
    this.#socket.end();
    return this;
  }

  /** All that has come when `done` holds, or the connection has ended. */
  async until(done: (text: string) => boolean): Promise<string> {
    while (!done(this.text) && !this.#ended) await once(this.#changed, "change");
    return this.text;
  }

  /** All that has come when the other end has closed. */
  async rest(): Promise<string> {
    const text = await this.until(() => false);
    this.#socket.destroy();
    return text;
  }
}

export function request(
  method: string,
  path: string,
  options: { headers?: readonly string[]; body?: string; version?: "1.0" | "1.1" } = {},
): string {
  const { headers = [], body, version = "1.1" } = options;
  const own = [
    ...(version === "1.1" ? ["Host: x"] : []),
    ...(body === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return [`${method} ${path} HTTP/${version}`, ...own, ...headers, "", body ?? ""].join("\r\n");
}

/** What follows the head of an answer. */
export function afterHead(text: string): string {
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

/** Docker's frames in latin1: which stream said what. */
export function streams(text: string): Record<number, string> {
  const bytes = Buffer.from(text, "latin1");
  const said: Record<number, string> = {};
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    const stream = bytes[at] ?? 0;
    said[stream] = (said[stream] ?? "") + bytes.toString("latin1", at + 8, end);
    at = end;
  }
  return said;
}
