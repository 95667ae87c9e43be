import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Takes a request over from the registry; returns false to let it go on. */
export type Fault = (request: IncomingMessage, response: ServerResponse, registry: FaultRegistry) => boolean;

/** A small registry in memory, for tests, that can be told to misbehave. */
export class FaultRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Buffer>();
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests = new Map<string, { type: string; bytes: Buffer }>();
  readonly uploads = new Map<string, Buffer>();
  /** `METHOD path` of each request, in order. */
  readonly log: string[] = [];
  readonly requests: IncomingMessage[] = [];
  readonly faults: Fault[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.log.push(`${request.method} ${request.url}`);
      this.requests.push(request);
      request.on("error", () => undefined);
      if (this.faults.some((fault) => fault(request, response, this))) return;
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  addBlob(bytes: Buffer): { mediaType: string; digest: string; size: number } {
    const digest = digest256(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: bytes.length };
  }

  addManifest(
    repository: string,
    tag: string,
    type: string,
    content: unknown,
  ): { mediaType: string; digest: string; size: number } {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = digest256(bytes);
    for (const name of [`${repository}:${tag}`, `${repository}@${digest}`]) this.manifests.set(name, { type, bytes });
    return { mediaType: type, digest, size: bytes.length };
  }

  /** Answers with a registry's error body. */
  fail(response: ServerResponse, status: number, code: string, message: string): true {
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify({ errors: [{ code, message }] }));
    return true;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${this.host}`);
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(url.pathname);
    if (upload !== null) return this.upload(request, response, url, upload[1] ?? "", upload[2] ?? "");
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname);
    if (url.pathname === "/v2/") return void response.writeHead(200).end("{}");
    if (match === null) return void this.fail(response, 404, "NAME_UNKNOWN", "repository name not known to registry");
    const [, repository = "", kind, name = ""] = match;
    if (kind === "blobs") return this.blob(request, response, name);
    if (request.method === "PUT") {
      const bytes = await readAll(request);
      const digest = digest256(bytes);
      const stored = { type: request.headers["content-type"] ?? "", bytes };
      this.manifests.set(`${repository}@${digest}`, stored);
      if (!name.includes(":")) this.manifests.set(`${repository}:${name}`, stored);
      return void response.writeHead(201, { "docker-content-digest": digest }).end();
    }
    const manifest = this.manifests.get(`${repository}${name.includes(":") ? "@" : ":"}${name}`);
    if (manifest === undefined) return void this.fail(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
    response.writeHead(200, {
      "content-type": manifest.type,
      "content-length": manifest.bytes.length,
      "docker-content-digest": digest256(manifest.bytes),
    });
    response.end(request.method === "HEAD" ? undefined : manifest.bytes);
  }

  private blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return void this.fail(response, 404, "BLOB_UNKNOWN", "blob unknown to registry");
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from >= bytes.length && from > 0) return void this.fail(response, 416, "RANGE_INVALID", "invalid range");
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": bytes.length - from,
      ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    response.end(request.method === "HEAD" ? undefined : bytes.subarray(from));
  }

  private async upload(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    repository: string,
    id: string,
  ): Promise<void> {
    const location = (session: string): string => `/v2/${repository}/blobs/uploads/${session}`;
    if (request.method === "POST") {
      const mount = url.searchParams.get("mount");
      if (mount !== null && this.blobs.has(mount))
        return void response.writeHead(201, { location: `/v2/${repository}/blobs/${mount}` }).end();
      const session = randomUUID();
      this.uploads.set(session, Buffer.alloc(0));
      return void response.writeHead(202, { location: location(session) }).end();
    }
    const held = this.uploads.get(id);
    if (held === undefined)
      return void this.fail(response, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    const range = (bytes: Buffer): Record<string, string> => ({
      location: location(id),
      range: `0-${Math.max(bytes.length - 1, 0)}`,
    });
    if (request.method === "GET") return void response.writeHead(204, range(held)).end();
    const start = Number(request.headers["content-range"]?.split("-", 1)[0] ?? held.length);
    const chunks = [held.subarray(0, start)];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } finally {
      this.uploads.set(id, Buffer.concat(chunks));
    }
    const whole = Buffer.concat(chunks);
    if (request.method === "PATCH") return void response.writeHead(202, range(whole)).end();
    const digest = url.searchParams.get("digest") ?? "";
    if (digest256(whole) !== digest)
      return void this.fail(response, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    this.blobs.set(digest, whole);
    this.uploads.delete(id);
    response.writeHead(201, { "docker-content-digest": digest }).end();
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function digest256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A fault that strikes the first `times` requests whose `METHOD path` matches. */
export function onFirst(times: number, pattern: RegExp, fault: Fault): Fault {
  let left = times;
  return (request, response, registry) => {
    if (left === 0 || !pattern.test(`${request.method} ${request.url}`)) return false;
    left -= 1;
    return fault(request, response, registry);
  };
}
