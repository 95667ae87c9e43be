import { Readable } from "node:stream";
import { Unknown, messageOf } from "@longshore/errdefs";
import { maxHeadBytes, networkError } from "@longshore/remotes";
import { EnvHttpProxyAgent, interceptors, request } from "undici";

const maxRedirections = 10;
/** Statuses whose answers have no body. */
const bodiless = new Set([204, 205, 304]);

/**
 * Gets a URL, following redirects, from any port: `fetch` keeps away from some, as browsers do.
 * @throws Unknown `Get "https://…": dial tcp …` when nobody answers; any status is an answer
 */
export async function httpGet(
  url: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Response> {
  const dispatcher = new EnvHttpProxyAgent({ maxHeaderSize: maxHeadBytes }).compose(
    interceptors.redirect({ maxRedirections }),
  );
  try {
    const { statusCode, body } = await request(url, { dispatcher, signal, headers });
    if (!bodiless.has(statusCode))
      return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { status: statusCode });
    await body.dump();
    return new Response(null, { status: statusCode });
  } catch (error) {
    signal.throwIfAborted();
    throw new Unknown(messageOf(networkError("GET", new URL(url), error)), { cause: error });
  }
}
