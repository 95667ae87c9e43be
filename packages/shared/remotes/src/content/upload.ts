import type { Descriptor } from "@longshore/oci";
import { pause } from "../http/backoff.ts";
import { type HostClient, type HostRequest, checkedUrl } from "../http/host-client.ts";
import { NetworkError, networkError } from "../http/network-error.ts";
import { pacedUpload } from "../http/pace.ts";
import type { ContentOpener, PushResult } from "./push.ts";
import type { Repository } from "../repository.ts";
import { type RegistryResponse, discard, failureOf, headerOf } from "../http/response.ts";

export interface UploadOptions {
  /** Repositories (paths) of the same registry that hold the blob, to be mounted from. */
  readonly mountFrom?: readonly string[];
  /** Told the bytes sent so far; goes back when an upload is resumed. */
  readonly onProgress?: (sent: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where an upload session stands. */
interface Session {
  readonly location: URL;
  /** Bytes that the registry holds. */
  readonly offset: number;
}

/** The blob upload protocol: mount, session, one streaming PUT; the rest by PATCH when that one broke. */
class Upload {
  readonly #client: HostClient;
  readonly #repository: Repository;
  readonly #descriptor: Descriptor;
  readonly #open: ContentOpener;
  readonly #options: UploadOptions;

  constructor(
    client: HostClient,
    repository: Repository,
    descriptor: Descriptor,
    open: ContentOpener,
    options: UploadOptions,
  ) {
    this.#client = client;
    this.#repository = repository;
    this.#descriptor = descriptor;
    this.#open = open;
    this.#options = options;
  }

  get #scopes(): string[] {
    return [this.#repository.scope("pull,push")];
  }

  /** @returns the session, or the repository that the blob was mounted from. */
  async begin(from?: string): Promise<Session | { mounted: string }> {
    const query = from === undefined ? "" : `?${new URLSearchParams({ mount: this.#descriptor.digest, from })}`;
    const response = await this.#client.send({
      method: "POST",
      target: `/${this.#repository.reference.path}/blobs/uploads/${query}`,
      headers: { "content-length": "0" },
      scopes: from === undefined ? this.#scopes : [...this.#scopes, `repository:${from}:pull`],
      signal: this.#options.signal,
    });
    if (response.status === 201 && from !== undefined) {
      await discard(response);
      return { mounted: from };
    }
    if (response.status !== 202) throw await failureOf(response);
    await discard(response);
    return { location: this.#location(response), offset: 0 };
  }

  #location(response: RegistryResponse): URL {
    const url = checkedUrl(headerOf(response, "location") ?? "", response.url);
    // A registry behind a TLS proxy may name itself by the scheme that it sees.
    if (response.url.protocol === "https:" && url.host === response.url.host) url.protocol = "https:";
    return url;
  }

  /** Asks how far a broken upload got; a session that is gone counts as none. */
  async resume(session: Session): Promise<Session | undefined> {
    const response = await this.#client.send({
      method: "GET",
      target: session.location,
      scopes: this.#scopes,
      signal: this.#options.signal,
    });
    await discard(response);
    const end = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(response, "range") ?? "")?.[1];
    if (response.status !== 204 || end === undefined) return undefined;
    const location = headerOf(response, "location") === undefined ? session.location : this.#location(response);
    // An empty upload also says `0-0`; one byte sent twice does no harm, since it is the same byte.
    const offset = Number(end) === 0 ? 0 : Number(end) + 1;
    return offset <= this.#descriptor.size ? { location, offset } : undefined;
  }

  async #finish(location: URL, from: number | undefined): Promise<void> {
    const target = new URL(location);
    target.searchParams.set("digest", this.#descriptor.digest);
    const length = from === undefined ? 0 : this.#descriptor.size - from;
    const request = {
      method: "PUT" as const,
      target,
      headers: { "content-type": "application/octet-stream", "content-length": String(length) },
    };
    const response = await (length === 0
      ? this.#client.send({ ...request, scopes: this.#scopes, signal: this.#options.signal })
      : this.#send(request, from ?? 0));
    if (response.status !== 201 && response.status !== 204) throw await failureOf(response);
    await discard(response);
  }

  /** Sends what the session lacks and closes it. */
  async complete(session: Session): Promise<void> {
    if (session.offset === 0) return this.#finish(session.location, 0);
    if (session.offset >= this.#descriptor.size) return this.#finish(session.location, undefined);
    const headers = {
      "content-type": "application/octet-stream",
      "content-range": `${session.offset}-${this.#descriptor.size - 1}`,
      "content-length": String(this.#descriptor.size - session.offset),
    };
    const response = await this.#send({ method: "PATCH", target: session.location, headers }, session.offset);
    if (response.status !== 202) throw await failureOf(response);
    await discard(response);
    return this.#finish(this.#location(response), undefined);
  }

  /** Sends the blob from `offset` on as a request's body. @throws NetworkError, too, for a registry that takes next to nothing of it */
  async #send(
    request: Pick<HostRequest, "method" | "headers"> & { target: URL },
    offset: number,
  ): Promise<RegistryResponse> {
    const stalled = new AbortController();
    const { signal } = this.#options;
    try {
      return await this.#client.send({
        ...request,
        body: () => this.#counted(offset, (error) => stalled.abort(error)),
        scopes: this.#scopes,
        signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
      });
    } catch (error) {
      throw stalled.signal.aborted ? networkError(request.method, request.target, stalled.signal.reason) : error;
    }
  }

  async *#counted(offset: number, giveUp: (error: Error) => void): AsyncGenerator<Uint8Array> {
    let sent = offset;
    for await (const chunk of pacedUpload(this.#open(offset), this.#client.retry.pace, giveUp)) {
      yield chunk;
      sent += chunk.length;
      this.#options.onProgress?.(sent);
    }
  }
}

/** Mounts or uploads one blob; a broken connection is resumed where the registry still has the session. */
export async function uploadBlob(
  client: HostClient,
  repository: Repository,
  descriptor: Descriptor,
  open: ContentOpener,
  options: UploadOptions,
): Promise<PushResult> {
  const upload = new Upload(client, repository, descriptor, open, options);
  let session: Session | undefined;
  for (const from of options.mountFrom ?? []) {
    const begun = await upload.begin(from).catch(() => undefined);
    if (begun === undefined) continue;
    if ("mounted" in begun) return { status: "mounted", from: begun.mounted };
    session = begun;
    break;
  }
  for (let attempt = 1; ; attempt += 1) {
    const held: Session | undefined = session;
    try {
      const current: Session | { mounted: string } = held ?? (await upload.begin());
      if ("mounted" in current) return { status: "mounted", from: current.mounted };
      session = current;
      await upload.complete(current);
      return { status: "pushed" };
    } catch (error) {
      if (!(error instanceof NetworkError) || attempt >= client.retry.attempts || session === undefined) throw error;
      await pause(client.retry, attempt, undefined, options.signal);
      session = await upload.resume(session).catch(() => undefined);
    }
  }
}
