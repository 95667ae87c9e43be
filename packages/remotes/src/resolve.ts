import { createHash } from "node:crypto";
import { FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Unauthenticated } from "@longshore/errdefs";
import { type Descriptor, mediaTypes } from "@longshore/oci";
import { type Reference, format, isDigest } from "@longshore/reference";
import { RegistryError } from "./errors.ts";
import type { HostClient } from "./host-client.ts";
import { acceptManifests, maxManifestBytes } from "./media-types.ts";
import { networkError } from "./network-error.ts";
import { type Repository, doing } from "./repository.ts";
import { type RegistryResponse, discard, headerOf } from "./response.ts";

async function readManifest(response: RegistryResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxManifestBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw networkError(response.method, response.url, error);
  }
  if (size > maxManifestBytes) throw new InvalidArgument(`manifest from ${response.url.href} exceeds the limit of ${maxManifestBytes} bytes`);
  return Buffer.concat(chunks);
}

/** The type of a manifest whose server names none. */
function sniff(bytes: Buffer): string {
  let parsed: { mediaType?: unknown; manifests?: unknown };
  try {
    parsed = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new InvalidArgument("manifest is not valid JSON", { cause: error });
  }
  if (typeof parsed.mediaType === "string") return parsed.mediaType;
  return Array.isArray(parsed.manifests) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}

function typeOf(response: RegistryResponse): string | undefined {
  const type = headerOf(response, "content-type")?.split(";", 1)[0]?.trim();
  return type === undefined || type === "" || type === "application/octet-stream" || type === "text/plain" || type === "application/json" ? undefined : type;
}

function checkType(mediaType: string): string {
  if (mediaType.startsWith("application/vnd.docker.distribution.manifest.v1+")) {
    throw new InvalidArgument(`media type "${mediaType}" is no longer supported, rebuild the image as "${mediaTypes.dockerManifest}" or "${mediaTypes.ociManifest}"`);
  }
  return mediaType;
}

async function resolveOn(client: HostClient, repository: Repository, reference: Reference, signal: AbortSignal | undefined): Promise<Descriptor> {
  const path = `/manifests/${reference.digest ?? reference.tag ?? "latest"}`;
  const request = { path, headers: { accept: acceptManifests }, signal, verified: reference.digest !== undefined };
  const head = await repository.send(client, { ...request, method: "HEAD" });
  await discard(head);
  const length = headerOf(head, "content-length");
  const announced = headerOf(head, "docker-content-digest") ?? reference.digest;
  const mediaType = typeOf(head);
  if (head.status === 200 && mediaType !== undefined && announced !== undefined && isDigest(announced) && length !== undefined && Number(length) > 0) {
    return { mediaType: checkType(mediaType), digest: announced, size: Number(length) };
  }
  // Some registries answer HEAD poorly or not at all; and only GET has a body that tells what is wrong.
  const response = await repository.expect(client, { ...request, method: "GET" }, [200]);
  const bytes = await readManifest(response);
  const algorithm = reference.digest?.slice(0, reference.digest.indexOf(":")) ?? "sha256";
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  return { mediaType: checkType(typeOf(response) ?? sniff(bytes)), digest, size: bytes.length };
}

/** Says what could not be found or be had, in containerd's words with the registry's own behind them. */
function explain(error: unknown, reference: Reference): unknown {
  if (!(error instanceof RegistryError)) return error;
  if (error.kind === "NotFound") return new NotFound(`${format(reference)}: not found: ${error.message}`, { cause: error });
  const denied = `pull access denied, repository does not exist or may require authorization: server message: ${error.message}`;
  if (error.kind === "Unauthenticated") return new Unauthenticated(denied, { cause: error });
  if (error.kind === "PermissionDenied") return new PermissionDenied(denied, { cause: error });
  return error;
}

/**
 * Finds what a name stands for at its registry.
 * @throws NotFound `NAME: not found: manifest unknown: …`; Unauthenticated or PermissionDenied
 * `pull access denied, …: server message: …`; NetworkError `failed to do request: Head "https://…": …`
 */
export async function resolve(repository: Repository, reference: Reference, signal?: AbortSignal): Promise<Descriptor> {
  const descriptor = await doing(repository.firstOf("resolve", (client) => resolveOn(client, repository, reference, signal))).catch((error: unknown) => {
    throw explain(error, reference);
  });
  if (reference.digest !== undefined && descriptor.digest !== reference.digest) {
    throw new FailedPrecondition(`unexpected digest ${descriptor.digest} for ${format(reference)}`);
  }
  return descriptor;
}
