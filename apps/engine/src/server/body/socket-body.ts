import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { InvalidArgument } from "@longshore/errdefs";

/** Whether a request says that a body follows it. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * The body of a request whose head alone was read from a socket, in pieces (RFC 9112, sections 6 and
 * 7). What comes behind it stays in the socket.
 * @throws InvalidArgument for chunks that are none, or a body that ends too early
 */
export async function* readSocketBody(socket: Socket, headers: IncomingHttpHeaders): AsyncGenerator<Buffer> {
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return yield* readBytes(socket, Number(headers["content-length"] ?? 0));
  if (coding.trim().toLowerCase() !== "chunked")
    throw new InvalidArgument(`unsupported transfer encoding: ${JSON.stringify(coding)}`);
  for (;;) {
    const [, digits] = /^([0-9a-fA-F]{1,8})(?:[ \t]*;.*)?$/.exec(await readLine(socket)) ?? [];
    if (digits === undefined) throw new InvalidArgument("invalid byte in chunk length");
    const size = Number.parseInt(digits, 16);
    if (size === 0) break;
    yield* readBytes(socket, size);
    if ((await readLine(socket)) !== "") throw new InvalidArgument("malformed chunked encoding");
  }
  for (let trailers = 0; (await readLine(socket)) !== ""; trailers++)
    if (trailers === maxTrailers) throw new InvalidArgument("http: suspiciously long trailer after chunked body");
}

const maxTrailers = 64;
const maxLineBytes = 4096;

async function* readBytes(socket: Socket, count: number): AsyncGenerator<Buffer> {
  for (let left = count; left > 0;) {
    const piece = await readPiece(socket);
    const own = piece.subarray(0, left);
    if (own.length < piece.length) socket.unshift(piece.subarray(own.length));
    left -= own.length;
    yield own;
  }
}

/** A line without its end. */
async function readLine(socket: Socket): Promise<string> {
  let line = Buffer.alloc(0);
  for (;;) {
    const piece = await readPiece(socket);
    const end = piece.indexOf(0x0a);
    line = Buffer.concat([line, end < 0 ? piece : piece.subarray(0, end)]);
    if (line.length > maxLineBytes) throw new InvalidArgument("header line too long");
    if (end < 0) continue;
    if (end + 1 < piece.length) socket.unshift(piece.subarray(end + 1));
    return line.toString("latin1").replace(/\r$/, "");
  }
}

/** The next bytes, however many. @throws InvalidArgument when there are no more */
async function readPiece(socket: Socket): Promise<Buffer> {
  for (;;) {
    const piece = socket.read() as Buffer | null;
    if (piece !== null) return piece;
    if (socket.readableEnded || socket.destroyed) throw new InvalidArgument("unexpected EOF");
    await new Promise<void>((resolve) => {
      const events = ["readable", "end", "close"];
      const woken = (): void => {
        for (const event of events) socket.off(event, woken);
        resolve();
      };
      for (const event of events) socket.on(event, woken);
    });
  }
}
