import { mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import type { Logger } from "@longshore/logger";
import type { FastifyInstance } from "fastify";
import { watchBody } from "../../server/body/body.ts";
import { targetOf } from "../../server/request.ts";
import { AuditFile } from "./audit-file.ts";
import { type Client, clientOf } from "./client.ts";
import { changes } from "../policy.ts";
import { redact, redactQuery } from "./redact.ts";

interface AuditSettings {
  path: string;
  /** Whether requests that only read are recorded, too. */
  reads: boolean;
}

interface Connection {
  /** Undefined until somebody asks. */
  client: Client | undefined;
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
  #settings: AuditSettings | undefined;
  #file: AuditFile | undefined;
  readonly #log: Logger;
  readonly #connections = new WeakMap<Socket, Connection>();
  #count = 0;
  #failed = false;

  /** Records nothing until it is configured. */
  constructor(log: Logger) {
    this.#log = log;
  }

  /** Records there from now on; undefined: nothing. @throws the system's error when the folder cannot be made, having changed nothing */
  configure(settings: AuditSettings | undefined): void {
    if (settings !== undefined) mkdirSync(dirname(settings.path), { recursive: true, mode: 0o700 });
    if (settings?.path !== this.#settings?.path) {
      this.#file?.close();
      this.#file = settings === undefined ? undefined : new AuditFile(settings.path);
      this.#failed = false;
    }
    this.#settings = settings;
  }

  /** What is wrong with the log, in words for `docker info`. */
  problems(): string[] {
    return this.#failed
      ? [`the audit log ${this.#settings?.path} cannot be written: requests are served, but not recorded`]
      : [];
  }

  connected(socket: Socket, address: string): void {
    this.#connections.set(socket, {
      client: this.#settings === undefined ? undefined : clientOf(socket),
      socket: address,
    });
  }

  /** Records the requests of all routes that are added after this call. */
  watch(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      if (this.#settings === undefined) return done();
      if (request.is404 || (!this.#settings.reads && !changes(request.method, request.routeOptions.config)))
        return done();
      const id = `${process.pid}-${++this.#count}`;
      const began = performance.now();
      const { socket } = request.raw;
      const connection = this.#connections.get(socket);
      if (connection !== undefined) connection.client ??= clientOf(socket);
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
      this.#file?.append(JSON.stringify({ time: new Date().toISOString(), ...entry }));
      this.#failed = false;
    } catch (error) {
      // A full disk must not keep anybody from making space.
      if (!this.#failed) this.#log.error({ err: error, path: this.#settings?.path }, "the audit log cannot be written");
      this.#failed = true;
    }
  }
}
