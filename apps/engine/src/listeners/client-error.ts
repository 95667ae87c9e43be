import type { Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";

/** What Go's server says of what is no HTTP. */
const statuses: Record<string, string> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Tells clients, before their connection is closed, that what they sent could not be read, as Go's server does. */
export function answerClientErrors(server: Server | HttpsServer): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = Reflect.get(socket, "_httpMessage") as ServerResponse | null | undefined;
    // Half an answer cannot be taken back.
    if (!socket.writable || answer?.headersSent === true) return void socket.destroy();
    const status = statuses[error.code ?? ""] ?? "400 Bad Request";
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`,
      () => socket.destroy(),
    );
  });
}
