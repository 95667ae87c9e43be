import { FailedPrecondition, PermissionDenied, Unauthenticated } from "@longshore/errdefs";
import type { Descriptor } from "@longshore/oci";
import type { Reference } from "@longshore/reference";
import { RegistryError } from "../http/errors.ts";
import type { HostClient } from "../http/host-client.ts";
import { isManifestType, maxManifestBytes } from "./media-types.ts";
import { type Repository, doing } from "../repository.ts";
import { discard, failureOf, headerOf } from "../http/response.ts";
import { type UploadOptions, uploadBlob } from "./upload.ts";
import { readVerified } from "./verify.ts";

export type PushResult =
  | { readonly status: "pushed" | "exists" }
  | { readonly status: "mounted"; readonly from: string };

export interface PushOptions extends UploadOptions {
  /** The name that the manifest gets; without one it is reachable by its digest alone. */
  readonly tag?: string;
}

/** Opens content for reading from `offset` on; asked again when an upload has to be resumed. */
export type ContentOpener = (offset: number) => AsyncIterable<Uint8Array>;

async function pushManifest(
  client: HostClient,
  repository: Repository,
  descriptor: Descriptor,
  open: ContentOpener,
  options: PushOptions,
): Promise<PushResult> {
  const target = `/${repository.reference.path}/manifests/${options.tag ?? descriptor.digest}`;
  const scopes = [repository.scope("pull,push")];
  const { signal } = options;
  const head = await client.send({
    method: "HEAD",
    target,
    headers: { accept: `${descriptor.mediaType}, */*` },
    scopes,
    signal,
  });
  await discard(head);
  if (head.status === 200 && headerOf(head, "docker-content-digest") === descriptor.digest) return { status: "exists" };
  const bytes = await readVerified(open(0), descriptor, maxManifestBytes);
  const response = await client.send({
    method: "PUT",
    target,
    headers: { "content-type": descriptor.mediaType },
    body: () => bytes,
    scopes,
    signal,
  });
  if (response.status !== 201 && response.status !== 200) throw await failureOf(response);
  await discard(response);
  const stored = headerOf(response, "docker-content-digest");
  if (stored !== undefined && stored !== descriptor.digest)
    throw new FailedPrecondition(`got digest ${stored}, expected ${descriptor.digest}`);
  options.onProgress?.(bytes.length);
  return { status: "pushed" };
}

async function pushBlob(
  client: HostClient,
  repository: Repository,
  descriptor: Descriptor,
  open: ContentOpener,
  options: PushOptions,
): Promise<PushResult> {
  const target = `/${repository.reference.path}/blobs/${descriptor.digest}`;
  const head = await client.send({
    method: "HEAD",
    target,
    scopes: [repository.scope("pull,push")],
    signal: options.signal,
  });
  await discard(head);
  // Any other answer is met again by the upload itself, and there with a body that says why.
  if (head.status === 200) return { status: "exists" };
  return uploadBlob(client, repository, descriptor, open, options);
}

function explain(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const denied = `push access denied, repository does not exist or may require authorization: server message: ${error.message}`;
  if (error.kind === "Unauthenticated") return new Unauthenticated(denied, { cause: error });
  if (error.kind === "PermissionDenied") return new PermissionDenied(denied, { cause: error });
  return error;
}

/**
 * Brings one blob or manifest to its registry, unless it is there already.
 * @throws Unauthenticated or PermissionDenied `push access denied, …: server message: …`, RegistryError, NetworkError
 */
export async function push(
  repository: Repository,
  descriptor: Descriptor,
  open: ContentOpener,
  options: PushOptions = {},
): Promise<PushResult> {
  const [client] = repository.hosts("push");
  if (client === undefined) throw new FailedPrecondition(`no push hosts: ${repository.name}`);
  const one = isManifestType(descriptor.mediaType) ? pushManifest : pushBlob;
  return doing(one(client, repository, descriptor, open, options)).catch((error: unknown) => {
    throw explain(error);
  });
}

/** The tag under which a top manifest is pushed; a reference by digest has none. */
export function tagOf(reference: Reference): { tag?: string } {
  return reference.tag === undefined ? {} : { tag: reference.tag };
}
