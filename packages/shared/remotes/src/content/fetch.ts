import { FailedPrecondition, isKind } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import type { Descriptor } from "@longshore/oci";
import { type RetryPolicy, isPassing, pause } from "../http/backoff.ts";
import { codingsOf } from "../http/content-encoding.ts";
import { RegistryError } from "../http/errors.ts";
import { type HostClient, checkedUrl } from "../http/host-client.ts";
import { acceptManifests, isManifestType, isNondistributable } from "./media-types.ts";
import { NetworkError } from "../http/network-error.ts";
import type { Repository } from "../repository.ts";
import { type RegistryResponse, discard, failureOf, headerOf } from "../http/response.ts";

export interface FetchOptions {
  /** Where to begin, in bytes. */
  readonly offset?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The answer broke off or was shorter than the content. */
class Truncated extends FailedPrecondition {}

async function openOn(
  client: HostClient,
  repository: Repository,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<RegistryResponse> {
  const manifest = isManifestType(descriptor.mediaType);
  const headers: Record<string, string> = {
    accept: manifest ? acceptManifests : `${descriptor.mediaType}, */*`,
    "accept-encoding": "identity",
  };
  if (offset > 0) headers["range"] = `bytes=${offset}-`;
  const path = `/${manifest ? "manifests" : "blobs"}/${descriptor.digest}`;
  const answer = await repository.expect(client, { method: "GET", path, headers, verified: true, signal }, [200, 206]);
  if (answer.status !== 206 || codingsOf(answer.headers["content-encoding"]).length === 0) return answer;
  // A range of what is compressed is no range of the content.
  await discard(answer);
  return openOn(client, repository, descriptor, 0, signal);
}

/** A layer's own URLs are for layers that registries do not hold; nothing but http and https is followed. */
async function openElsewhere(
  client: HostClient,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<RegistryResponse> {
  const headers: Record<string, string> = {
    "accept-encoding": "identity",
    ...(offset > 0 ? { range: `bytes=${offset}-` } : {}),
  };
  let failure: unknown = new FailedPrecondition(`${descriptor.digest}: no URL to fetch it from`);
  for (const text of descriptor.urls ?? []) {
    try {
      const response = await client.send({ method: "GET", target: checkedUrl(text), headers, verified: true, signal });
      if (response.status === 200 || response.status === 206) return response;
      failure = await failureOf(response);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function open(
  repository: Repository,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<RegistryResponse> {
  try {
    return await repository.firstOf("pull", (client) => openOn(client, repository, descriptor, offset, signal));
  } catch (error) {
    const [client] = repository.hosts("pull");
    if (
      !isKind(error, "NotFound") ||
      !isNondistributable(descriptor.mediaType) ||
      !descriptor.urls?.length ||
      client === undefined
    )
      throw error;
    return openElsewhere(client, descriptor, offset, signal);
  }
}

/** How many leading bytes of an answer lie before the wanted offset. */
function excess(response: RegistryResponse, offset: number): number {
  if (response.status === 200) return offset;
  const start = /^bytes (\d+)-/.exec(headerOf(response, "content-range") ?? "")?.[1];
  if (start === undefined || Number(start) > offset)
    throw new FailedPrecondition(`the registry answered a range that was not asked for: ${response.url.href}`);
  return offset - Number(start);
}

function mayResume(error: unknown): boolean {
  if (error instanceof RegistryError) return isPassing(error.status);
  return error instanceof NetworkError || error instanceof Truncated;
}

/**
 * Streams a blob or manifest, exactly as many bytes as its descriptor says. When the connection
 * breaks, it goes on from where it was with a Range request. The digest is the caller's to check
 * (`verified`, or the content store's commit), since bytes before `offset` are not seen here.
 * @throws RegistryError, NetworkError, FailedPrecondition
 */
export async function* fetchContent(
  repository: Repository,
  descriptor: Descriptor,
  retry: RetryPolicy,
  log: Logger,
  { offset = 0, signal }: FetchOptions = {},
): AsyncGenerator<Uint8Array> {
  let at = offset;
  let fruitless = 0;
  while (at < descriptor.size) {
    const before = at;
    try {
      const response = await open(repository, descriptor, at, signal);
      let skip = excess(response, at);
      for await (const piece of response.body) {
        const chunk = piece.subarray(Math.min(skip, piece.length));
        skip -= piece.length - chunk.length;
        if (chunk.length === 0) continue;
        if (at + chunk.length > descriptor.size)
          throw new FailedPrecondition(`${descriptor.digest}: content is longer than its size ${descriptor.size}`);
        at += chunk.length;
        yield chunk;
      }
      if (at < descriptor.size)
        throw new Truncated(`${descriptor.digest}: content ends at ${at} of ${descriptor.size} bytes: unexpected EOF`);
    } catch (error) {
      if (signal?.aborted === true || !mayResume(error)) throw error;
      // A registry that gives a byte for each connection gets nowhere.
      fruitless = at - before >= retry.pace.leastBytes ? 1 : fruitless + 1;
      if (fruitless >= retry.attempts) throw error;
      log.info({ err: error, digest: descriptor.digest, offset: at }, "fetch broke off, resuming");
      await pause(retry, fruitless, undefined, signal);
    }
  }
}
