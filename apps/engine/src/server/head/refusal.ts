import type { ServerResponse } from "node:http";

/** What a request is answered with before anything of Docker's own looks at it, as by Go's server. The connection ends with it. */
export interface Refusal {
  status: number;
  /** Of the status line, and the body's text unless there is one. */
  reason: string;
  /** Media type and text, where they are not the status line's. */
  body?: { type: string; text: string };
}

export const badRequest: Refusal = { status: 400, reason: "Bad Request" };
export const unsupportedVersion: Refusal = {
  status: 505,
  reason: "HTTP Version Not Supported: unsupported protocol version",
};
export const unsupportedEncoding: Refusal = {
  status: 501,
  reason: "Not Implemented",
  body: { type: "text/plain; charset=utf-8", text: "Unsupported transfer encoding" },
};
export const noSuchPage: Refusal = {
  status: 404,
  reason: "Not Found",
  body: { type: "application/json", text: '{"message":"page not found"}\n' },
};

function parts({ status, reason, body }: Refusal): { type: string; text: string } {
  return body ?? { type: "text/plain; charset=utf-8", text: `${status} ${reason}` };
}

export function refuse(response: ServerResponse, refusal: Refusal): void {
  const { type, text } = parts(refusal);
  response.writeHead(refusal.status, refusal.reason, {
    ...(text === "" ? {} : { "Content-Type": type }),
    "Content-Length": text.length,
    Connection: "close",
  });
  response.end(text);
}

/** The whole answer as text, for a connection that has no response. */
export function refusalText(refusal: Refusal): string {
  const { type, text } = parts(refusal);
  return `HTTP/1.1 ${refusal.status} ${refusal.reason}\r\nContent-Type: ${type}\r\nConnection: close\r\n\r\n${text}`;
}
