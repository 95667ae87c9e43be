import type { FastifyReply } from "fastify";

/** A JSON answer as Docker writes it: with a line feed at its end. */
export function sendJson(reply: FastifyReply, status: number, value: unknown): void {
  void reply.code(status).header("Content-Type", "application/json").send(`${JSON.stringify(value)}\n`);
}
