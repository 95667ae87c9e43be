import { mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import type { Logger } from "@longshore/logger";
import type { FastifyInstance } from "fastify";
import { watchBody } from "../server/body/body.ts";
import { targetOf } from "../server/request.ts";
import { AuditFile } from "./audit-file.ts";
import { type Client, clientOf } from "./client.ts";
import { changes } from "./policy.ts";
import { redact, redactQuery } from "./redact.ts";

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
 * What is recorded of a request is what the engine understood of it, without secrets.
 */
export class AuditLog {
  readonly #path: string;
  readonly #file: AuditFile;
  readonly #reads: boolean;
  readonly #log: Logger;
  readonly #connections = new WeakMap<Socket, Connection>();
  #count = 0;
  #failed = false;

  constructor(options: { path: string; reads: boolean; log: Logger }) {
    this.#path = options.path;
    this.#file = new AuditFile(options.path);
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
      if (request.is404 || (!this.#reads && !changes(request.method, request.routeOptions.config))) return done();
      const id = `${process.pid}-${++this.#count}`;
      const began = performance.now();
      const connection = this.#connections.get(request.raw.socket);
      const { path, query } = targetOf(request);
      this.#write({
        id,
        event: "request",
        ...connection,
        agent: request.headers["user-agent"],
        method: request.method,
        path,
        ...(query === "" ? {} : { query: redactQuery(query) }),
      });
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
      this.#file.append(JSON.stringify({ time: new Date().toISOString(), ...entry }));
      this.#failed = false;
    } catch (error) {
      // A full disk must not keep anybody from making space.
      if (!this.#failed) this.#log.error({ err: error, path: this.#path }, "the audit log cannot be written");
      this.#failed = true;
    }
  }
}
