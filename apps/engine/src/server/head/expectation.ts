import type { IncomingMessage, ServerResponse } from "node:http";

/** Requests whose client waits for the word to send the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * Notes that a client waits to be told to go on. Where that never happens Node closes the connection behind the answer, since
 * nobody knows what would come next.
 */
export function awaitContinue(request: IncomingMessage, response: ServerResponse): void {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  if (coding !== undefined || Number(length ?? 0) > 0) waiting.set(request, response);
}

/** Tells the client that its body is wanted now, if it waits to hear that. */
export function wantBody(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (response === undefined || response.headersSent) return;
  waiting.delete(request);
  response.writeContinue();
}
