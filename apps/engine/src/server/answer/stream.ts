import { once } from "node:events";
import type { FastifyReply } from "fastify";
import { clientGone } from "../request.ts";

/** What a client of `push` may leave unread, in bytes. */
const mostUnread = 4 << 20;

/** The body of an answer that is written piece by piece; the headers go out at once. */
export class BodyStream {
  /** Aborts when the client goes away. */
  readonly gone: AbortSignal;
  readonly #reply: FastifyReply;

  constructor(reply: FastifyReply, contentType: string, headers: Record<string, string> = {}) {
    this.#reply = reply;
    this.gone = clientGone(reply);
    const { raw } = reply;
    for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers }))
      if (value !== undefined) raw.setHeader(name, value as string);
    raw.setHeader("Content-Type", contentType);
    reply.hijack();
    raw.writeHead(200);
    raw.flushHeaders();
  }

  /** Waits when the client reads slower than we write. */
  async write(data: string | Uint8Array): Promise<void> {
    const { raw } = this.#reply;
    if (this.gone.aborted || raw.destroyed) return;
    if (!raw.write(data)) await once(raw, "drain", { signal: this.gone }).catch(() => undefined);
  }

  /**
   * Writes at once and waits for nobody: for what happens now, in the order in which it happens. A client that does
   * not read is cut off in the end.
   */
  push(value: unknown): void {
    const { raw } = this.#reply;
    if (this.gone.aborted || raw.destroyed) return;
    // Else Node keeps it until the end of the turn, and answers that were written later and end in it are sent first.
    raw.cork();
    raw.write(`${JSON.stringify(value)}\n`);
    raw.uncork();
    if (raw.writableLength > mostUnread) this.fail();
  }

  async json(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value)}\n`);
  }

  end(data?: string): void {
    this.#reply.raw.end(data);
  }

  /** Breaks the answer off, so that the client sees that it is not whole. */
  fail(): void {
    this.#reply.raw.destroy();
  }
}
