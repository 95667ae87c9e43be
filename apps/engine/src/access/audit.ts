import { appendFileSync, mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import type { Logger } from "@longshore/log";
import type { FastifyInstance } from "fastify";
import { watchBody } from "../server/body.ts";
import { targetOf } from "../server/request.ts";
import { type Client, clientOf } from "./client.ts";
import { redact } from "./redact.ts";

/** Only root reads who did what. */
const mode = 0o600;

interface Connection {
  client: Client;
  /** The address that the client came in by. */
  socket: string;
}

/**
 * The audit log: JSON lines for each request that can change something, or for all with `reads`.
 * The first is written before the request is served, so that no deed is missing from it after a
 * crash; one with the body before it is acted on; the last, with the same `id`, when the answer has
 * ended.
 *
 * The file is opened for each line: it can be rotated by renaming it.
 */
export class AuditLog {
  readonly #path: string;
  readonly #reads: boolean;
  readonly #log: Logger;
  readonly #connections = new WeakMap<Socket, Connection>();
  #count = 0;
  #failed = false;

  constructor(options: { path: string; reads: boolean; log: Logger }) {
    this.#path = options.path;
    this.#reads = options.reads;
    this.#log = options.log;
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
  }

  /** What is wrong with the log, in words for `docker info`. */
  problems(): string[] {
    return this.#failed ? [`the audit log ${this.#path} cannot be written: requests are served, but not recorded`] : [];
  }

  connected(socket: Socket, address: string): void {
    this.#connections.set(socket, { client: clientOf(socket), socket: address });
  }

  /** Records the requests of all routes that are added after this call. */
  watch(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      const reading = request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS";
      if (request.is404 || (reading && !this.#reads)) return done();
      const id = `${process.pid}-${++this.#count}`;
      const began = performance.now();
      const connection = this.#connections.get(request.raw.socket);
      const { path, query } = targetOf(request);
      this.#write({ id, event: "request", ...connection, agent: request.headers["user-agent"], method: request.method, path, ...(query === "" ? {} : { query }) });
      let answered = false;
      const answer = (): void => {
        if (answered) return;
        answered = true;
        request.raw.socket.off("close", answer);
        this.#write({ id, event: "answer", status: reply.raw.statusCode, ms: Math.round(performance.now() - began) });
      };
      reply.raw.once("close", answer);
      // A connection that was taken over has no response any more.
      request.raw.socket.once("close", answer);
      watchBody(request, (body) => this.#write({ id, event: "body", body: redact(body) }));
      done();
    });
  }

  #write(entry: object): void {
    try {
      appendFileSync(this.#path, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`, { mode });
      this.#failed = false;
    } catch (error) {
      // A full disk must not keep anybody from making space.
      if (!this.#failed) this.#log.error({ err: error, path: this.#path }, "the audit log cannot be written");
      this.#failed = true;
    }
  }
}
