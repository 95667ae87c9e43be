import type { FastifyReply } from "fastify";

/** A JSON answer as Docker writes it: with a line feed at its end. */
export function sendJson(reply: FastifyReply, status: number, value: unknown): void {
  sendJsonText(reply, status, `${JSON.stringify(value)}\n`);
}

/** Clients compare the media type as a whole, so no charset may stand behind it: bytes get none added. */
export function sendJsonText(reply: FastifyReply, status: number, text: string): void {
  void reply.code(status).header("Content-Type", "application/json").send(Buffer.from(text));
}
