import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import {
  badRequest,
  noSuchPage,
  type Refusal,
  refusalText,
  unsupportedEncoding,
  unsupportedVersion,
} from "../server/head/refusal.ts";
import { afterEarlier } from "../server/takeover/takeover.ts";

interface ParseError extends NodeJS.ErrnoException {
  /** llhttp's words. */
  reason?: string;
  rawPacket?: Buffer;
  bytesParsed?: number;
}

/** A request line that is well formed, whatever its method. */
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \/[!-~]* HTTP\/1\.[01]\r\n/;

/** Whether the parser only did not know the method of the request that a piece of input begins with. */
function unknownMethod({ rawPacket, bytesParsed = 0 }: ParseError): boolean {
  const line = requestLine.exec(rawPacket?.subarray(0, 8192).toString("latin1") ?? "")?.[0];
  return line !== undefined && bytesParsed <= line.indexOf(" ");
}

/** What Go's server says of what is no HTTP to Node's parser. */
function refusalOf(error: ParseError): Refusal {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, reason: "Request Header Fields Too Large" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, reason: "Request Timeout" };
    case "HPE_INVALID_TRANSFER_ENCODING":
      return error.reason?.includes("can't be present") === true ? badRequest : unsupportedEncoding;
    case "HPE_INVALID_VERSION":
      return error.reason === "Invalid HTTP version" ? unsupportedVersion : badRequest;
    case "HPE_INVALID_METHOD":
      return unknownMethod(error) ? noSuchPage : badRequest;
    default:
      return badRequest;
  }
}

/** Whether the body of a request has come in part, and its answer may wait for the rest. */
function isWithinBody(socket: Socket): boolean {
  const parser = Reflect.get(socket, "parser") as { incoming?: IncomingMessage | null } | null;
  return parser?.incoming?.complete === false;
}

/**
 * Tells clients, before their connection is closed, that what they sent could not be read, as Go's server does. Whole requests
 * that came before are answered first.
 */
export function answerClientErrors(server: Server | HttpsServer): void {
  const told = new WeakSet<Socket>();
  server.on("clientError", (fault: ParseError, socket: Socket) => {
    if (told.has(socket)) return;
    told.add(socket);
    const answer = Reflect.get(socket, "_httpMessage") as ServerResponse | null | undefined;
    const refuse = (): void => {
      if (socket.writable) socket.end(refusalText(refusalOf(fault)), () => socket.destroy());
    };
    if (!socket.writable) socket.destroy();
    else if (answer === null || answer === undefined) refuse();
    else if (!isWithinBody(socket)) void afterEarlier(socket).then(refuse);
    else if (!answer.headersSent) refuse();
    // What was answered before its body had come is on its way; half an answer cannot be taken back.
    else if (answer.writableEnded) socket.end(() => socket.destroy());
    else socket.destroy();
  });
}
