import { Unknown, messageOf } from "@longshore/errdefs";
import { networkError } from "@longshore/remotes";

/**
 * Gets a URL, following redirects.
 * @throws Unknown `Get "https://…": dial tcp …` when nobody answers; any status is an answer
 */
export async function httpGet(url: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
  try {
    return await fetch(url, { signal, headers });
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Unknown(messageOf(networkError("GET", new URL(url), cause)), { cause: error });
  }
}
