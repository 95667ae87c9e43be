import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import { decode, type Shape } from "@longshore/gojson";
import { takenConnection } from "./takeover.ts";

/** More than any real request needs, and less than would hurt the daemon. */
const maxJsonBytes = 32 << 20;

/** Bodies that were read before the route's turn. */
const early = new WeakMap<IncomingMessage, Buffer>();

/** Reads the body before the route does, which finds it all the same. @throws InvalidArgument when it is longer than any JSON body may be */
export async function readEarly(request: FastifyRequest): Promise<Buffer> {
  const body = await readBody(request);
  early.set(request.raw, body);
  return body;
}

/** The body as a stream, for routes that do not read it whole. */
export function bodyStream(request: FastifyRequest): Readable {
  const body = early.get(request.raw);
  return body === undefined ? request.raw : Readable.from([body], { objectMode: false });
}

/** The whole body of a request. @throws InvalidArgument when it exceeds `limit` bytes */
export async function readBody(request: FastifyRequest, limit = maxJsonBytes): Promise<Buffer> {
  const known = early.get(request.raw);
  if (known !== undefined) return known;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of takenConnection(request.raw)?.body ?? request.raw) {
    size += (chunk as Buffer).length;
    if (size > limit) throw new InvalidArgument("http: request body too large");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Who wants to see the bodies of which requests. */
const watchers = new WeakMap<IncomingMessage, (body: unknown) => void>();

/** Tells `seen` the JSON body of a request, once it has been read and before it is acted on. */
export function watchBody(request: FastifyRequest, seen: (body: unknown) => void): void {
  watchers.set(request.raw, seen);
}

function checkContentType(request: FastifyRequest): void {
  const header = request.headers["content-type"] ?? "";
  const mediaType = header.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (mediaType === "application/json") return;
  if (mediaType === "") throw new InvalidArgument(`malformed Content-Type header (${header}): mime: no media type`);
  throw new InvalidArgument(`unsupported Content-Type header (${mediaType}): must be 'application/json'`);
}

function parse(request: FastifyRequest, body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    watchers.get(request.raw)?.(parsed);
    return parsed;
  } catch (error) {
    throw syntaxError(body, error instanceof Error ? error.message : "");
  }
}

/** Puts V8's words for a syntax error into those of Docker's decoder. */
function syntaxError(body: string, message: string): InvalidArgument {
  if (message.includes("after JSON")) {
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    // Inside an object or list that text is a missing comma, and no second value.
    try {
      JSON.parse(body.slice(0, position));
      return new InvalidArgument("unexpected content after JSON");
    } catch {
      return new InvalidArgument(`invalid JSON: invalid character '${body[position] ?? ""}' after value`);
    }
  }
  const position = /position (\d+)/.exec(message)?.[1];
  const atEnd = position !== undefined && Number(position) >= body.trimEnd().length;
  if (atEnd || /end of JSON|Unterminated/.test(message) || /^\s*(?:t|tr|tru|f|fa|fal|fals|n|nu|nul)$/.test(body)) {
    return new InvalidArgument("invalid JSON: unexpected EOF");
  }
  const token = /Unexpected token '(.)'/su.exec(message)?.[1] ?? body.trimStart()[0] ?? "";
  return new InvalidArgument(`invalid JSON: invalid character '${token}' looking for beginning of value`);
}

/**
 * Reads a JSON body by Docker's rules: media type, one value only, field names in any case.
 * @returns what the shape describes; `undefined` for the body `null`
 * @throws InvalidArgument with Docker's messages
 */
export async function readJson<T>(request: FastifyRequest, shape: Shape): Promise<T | undefined> {
  const body = (await readBody(request)).toString("utf8");
  if (body === "") {
    if (request.headers["content-type"] !== undefined) checkContentType(request);
    throw new InvalidArgument("invalid JSON: got EOF while reading request body");
  }
  checkContentType(request);
  return decode(shape, parse(request, body)) as T | undefined;
}

/** As `readJson`, but an empty body is no error. */
export async function readOptionalJson<T>(request: FastifyRequest, shape: Shape): Promise<T | undefined> {
  const body = (await readBody(request)).toString("utf8");
  if (body === "") return undefined;
  checkContentType(request);
  return decode(shape, parse(request, body)) as T | undefined;
}
