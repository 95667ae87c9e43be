import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { Mutex } from "@longshore/concurrency";
import { InvalidArgument, messageOf, Unavailable } from "@longshore/errdefs";
import { isBlank, JsonError, parseLongJson, type Shape, unmarshalLong } from "@longshore/go-json";
import type { FastifyRequest } from "fastify";
import { BodyBudget } from "./body-budget.ts";
import { checkJsonType } from "./content-type.ts";
import { wantBody } from "../head/expectation.ts";
import { takenConnection } from "../takeover/takeover.ts";

/** More than any real request needs, and less than would hurt the daemon. */
const maxJsonBytes = 16 << 20;

/** For all bodies that are being read at one time. */
const budget = new BodyBudget(64 << 20);

/** How long a client may keep a body waiting for its next bytes. */
const stallMs = 120_000;

/** Bodies that were read before the route's turn. */
const early = new WeakMap<IncomingMessage, Buffer>();

/** Requests of which a part was left unread: nothing else can come by their connection. */
const unread = new WeakSet<IncomingMessage>();

/** Whether a request's body was given up before its end. */
export function leftUnread(request: FastifyRequest): boolean {
  return unread.has(request.raw);
}

/** Reads the body before the route does, which finds it all the same. @throws InvalidArgument when it is longer than any JSON body may be */
export async function readEarly(request: FastifyRequest): Promise<Buffer> {
  const body = await readBody(request);
  early.set(request.raw, body);
  return body;
}

function piecesOf(request: FastifyRequest): AsyncIterable<Buffer> {
  wantBody(request.raw);
  return takenConnection(request.raw)?.body ?? (request.raw as AsyncIterable<Buffer>);
}

/** The body as a stream, for routes that do not read it whole. */
export function bodyStream(request: FastifyRequest): Readable {
  const body = early.get(request.raw);
  wantBody(request.raw);
  return body === undefined ? request.raw : Readable.from([body], { objectMode: false });
}

/** How long a request says that its body is; undefined when it comes in chunks. */
export function declaredLength({ headers }: FastifyRequest): number | undefined {
  return headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : undefined;
}

function hasBody(request: FastifyRequest): boolean {
  return declaredLength(request) !== 0;
}

/** The whole body of a request. @throws InvalidArgument, Unavailable when it is too long, comes too slowly, or there is no room for it */
async function readBody(request: FastifyRequest): Promise<Buffer> {
  const known = early.get(request.raw);
  if (known !== undefined) return known;
  if (!hasBody(request)) return Buffer.alloc(0);
  const held = budget.hold();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of withoutStalls(request, held.refused)) {
      size += chunk.length;
      if (size > maxJsonBytes) throw new InvalidArgument("http: request body too large");
      held.add(chunk.length);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    unread.add(request.raw);
    throw error;
  } finally {
    held.release();
  }
}

/** Reads a body that says nothing, so that what follows it can be read. @throws as `readJson` */
export async function discardBody(request: FastifyRequest): Promise<void> {
  if (early.has(request.raw) || !hasBody(request)) return;
  let size = 0;
  const never = new Promise<never>(() => undefined);
  try {
    for await (const { length } of withoutStalls(request, never)) {
      size += length;
      if (size > maxJsonBytes) throw new InvalidArgument("http: request body too large");
    }
  } catch (error) {
    unread.add(request.raw);
    throw error;
  }
}

/** The pieces of a body until `refused` rejects. @throws InvalidArgument when it ends too early or does not go on */
async function* withoutStalls(request: FastifyRequest, refused: Promise<never>): AsyncGenerator<Buffer> {
  const pieces = piecesOf(request)[Symbol.asyncIterator]();
  for (;;) {
    const stalled = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => stalled.reject(new InvalidArgument("the request's body does not go on: i/o timeout")),
      stallMs,
    );
    try {
      const { done, value } = await Promise.race([pieces.next(), refused, stalled.promise]);
      if (done === true) return;
      yield value;
    } catch (error) {
      // A client that went away has not met a failure of the engine.
      if ((error as NodeJS.ErrnoException).code === "ECONNRESET")
        throw new InvalidArgument("unexpected EOF", { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Who wants to see the bodies of which requests. */
const watchers = new WeakMap<IncomingMessage, (body: unknown) => void>();

/** Tells `seen` the JSON body of a request, as it was understood, before it is acted on. */
export function watchBody(request: FastifyRequest, seen: (body: unknown) => void): void {
  watchers.set(request.raw, seen);
}

/** Bodies up to this many characters are parsed at once, whatever others do. */
const usualLength = 1 << 20;

/** What longer ones are made into takes many times their length: one is parsed at a time, and few wait for it. */
const longOnes = new Mutex();
const mostLongOnes = 4;
let longOnesHeld = 0;

/** Reads a body and does something with its text. @throws as `readBody`, and Unavailable when it is a long one and many are held */
async function withText<T>(request: FastifyRequest, use: (text: string) => Promise<T>): Promise<T> {
  const text = (await readBody(request)).toString("utf8");
  if (text.length <= usualLength) return use(text);
  if (longOnesHeld === mostLongOnes)
    throw new Unavailable("too many large request bodies are being read: try again later");
  longOnesHeld++;
  try {
    return await longOnes.run(() => use(text));
  } finally {
    longOnesHeld--;
  }
}

/** @throws JsonError for what is no JSON, InvalidArgument for what has another shape */
async function parse<T>(
  request: FastifyRequest,
  body: string,
  shape: Shape<T>,
): Promise<{ value: T | undefined; more: boolean }> {
  const { value, more } = await parseLongJson(body);
  const decoded = await unmarshalLong(shape, value);
  watchers.get(request.raw)?.(decoded);
  return { value: decoded, more };
}

const nothing = "invalid JSON: got EOF while reading request body";

/**
 * Reads a JSON body by Docker's rules: media type, one value only, field names in any case.
 * @returns what the shape describes; `undefined` for the body `null`, and for none
 * @throws InvalidArgument with Docker's messages
 */
export async function readJson<T>(request: FastifyRequest, shape: Shape<T>): Promise<T | undefined> {
  const header = request.headers["content-type"]?.trim() ?? "";
  if (header !== "" || hasBody(request)) checkJsonType(header);
  if (!hasBody(request)) return undefined;
  return withText(request, async (body) => {
    if (isBlank(body)) throw new InvalidArgument(nothing);
    const { value, more } = await parse(request, body, shape).catch((error: unknown) => {
      throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
    });
    if (more) throw new InvalidArgument("unexpected content after JSON");
    return value;
  });
}

/** As `readJson`, but there must be a body. */
export async function readRequiredJson<T>(request: FastifyRequest, shape: Shape<T>): Promise<T | undefined> {
  const read = await readJson(request, shape);
  if (!hasBody(request)) throw new InvalidArgument(nothing);
  return read;
}

/** Reads the first JSON value of a body of any media type. @throws JsonError, InvalidArgument with the words of the decoder alone */
export async function readPlainJson<T>(request: FastifyRequest, shape: Shape<T>): Promise<T | undefined> {
  return withText(request, async (body) => {
    if (isBlank(body)) throw new JsonError("EOF");
    return (await parse(request, body, shape)).value;
  });
}
