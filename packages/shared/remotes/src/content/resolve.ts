import { createHash } from "node:crypto";
import { FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Unauthenticated } from "@longshore/errdefs";
import { type Descriptor, mediaTypeProblem, mediaTypes } from "@longshore/oci";
import { type Reference, format, isDigest } from "@longshore/reference";
import { RegistryError } from "../http/errors.ts";
import type { HostClient } from "../http/host-client.ts";
import { acceptManifests, maxManifestBytes } from "./media-types.ts";
import { type Repository, doing } from "../repository.ts";
import { type RegistryResponse, discard, headerOf, readWhole } from "../http/response.ts";

/** Types that say nothing of a manifest, as web servers give them to any file: Docker takes no such answer for one either. */
const vague = new Set(["application/octet-stream", "application/json"]);

/** The type that an answer says; undefined for none. */
function typeOf(response: RegistryResponse): string | undefined {
  return headerOf(response, "content-type")?.split(";", 1)[0]?.trim() || undefined;
}

/** @throws InvalidArgument for what is no manifest's type */
function checkType({ url }: RegistryResponse, mediaType: string | undefined): string {
  if (mediaType === undefined || vague.has(mediaType) || mediaType.startsWith("text/"))
    throw new InvalidArgument(
      `${url.href} answers with no manifest: unsupported manifest media type: ${mediaType ?? "none is named"}`,
    );
  if (mediaType.startsWith("application/vnd.docker.distribution.manifest.v1+")) {
    throw new InvalidArgument(
      `media type "${mediaType}" is no longer supported, rebuild the image as "${mediaTypes.dockerManifest}" or "${mediaTypes.ociManifest}"`,
    );
  }
  const problem = mediaTypeProblem(mediaType);
  if (problem !== undefined) throw new InvalidArgument(problem);
  return mediaType;
}

async function resolveOn(
  client: HostClient,
  repository: Repository,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const path = `/manifests/${reference.digest ?? reference.tag ?? "latest"}`;
  const request = { path, headers: { accept: acceptManifests }, signal, verified: reference.digest !== undefined };
  const head = await repository.send(client, { ...request, method: "HEAD" });
  await discard(head);
  const length = headerOf(head, "content-length");
  const announced = headerOf(head, "docker-content-digest") ?? reference.digest;
  const mediaType = typeOf(head);
  if (
    head.status === 200 &&
    mediaType !== undefined &&
    announced !== undefined &&
    isDigest(announced) &&
    length !== undefined &&
    /^[1-9]\d*$/.test(length)
  ) {
    if (Number(length) > maxManifestBytes)
      throw new InvalidArgument(`manifest from ${head.url.href} exceeds the limit of ${maxManifestBytes} bytes`);
    return { mediaType: checkType(head, mediaType), digest: announced, size: Number(length) };
  }
  // Some registries answer HEAD poorly or not at all; and only GET has a body that tells what is wrong.
  const response = await repository.expect(client, { ...request, method: "GET" }, [200]);
  const bytes = await readWhole(response, maxManifestBytes);
  const algorithm = reference.digest?.slice(0, reference.digest.indexOf(":")) ?? "sha256";
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  return { mediaType: checkType(response, typeOf(response)), digest, size: bytes.length };
}

/** Says what could not be found or be had, in containerd's words with the registry's own behind them. */
function explain(error: unknown, reference: Reference): unknown {
  if (!(error instanceof RegistryError)) return error;
  if (error.kind === "NotFound")
    return new NotFound(`${format(reference)}: not found: ${error.message}`, { cause: error });
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
  const descriptor = await doing(
    repository.firstOf("resolve", (client) => resolveOn(client, repository, reference, signal)),
  ).catch((error: unknown) => {
    throw explain(error, reference);
  });
  if (reference.digest !== undefined && descriptor.digest !== reference.digest) {
    throw new FailedPrecondition(`unexpected digest ${descriptor.digest} for ${format(reference)}`);
  }
  return descriptor;
}
