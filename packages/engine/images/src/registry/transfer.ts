import type { Any } from "@bufbuild/protobuf/wkt";
import { Unknown, fromGrpcCode, grpcCodeOf, isKind, messageOf } from "@longshore/errdefs";
import { packAny, unpackAny } from "@longshore/proto";
import { OCIRegistrySchema, ProgressSchema, type Progress } from "@longshore/proto/containerd/types/transfer/transfer";
import { format, type Reference } from "@longshore/reference";
import { answerAuth, credentialsOf } from "./auth.ts";
import type { ImagesContext, RegistryCall } from "../model/context.ts";
import { publishHosts } from "./registry-hosts.ts";
import { ClientStream } from "../model/streams.ts";

/** One transfer inside containerd: what from, where to, and who listens to its progress. */
export interface TransferRequest {
  readonly source: Any;
  readonly destination: Any;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
  readonly lease?: string;
  /** Blobs moved at once; absent: as containerd is set. */
  readonly concurrency?: number;
}

async function listen(stream: ClientStream, onProgress: (progress: Progress) => void): Promise<void> {
  for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
    const progress = unpackAny(message, ProgressSchema);
    if (progress !== undefined) onProgress(progress);
  }
}

/** Runs a transfer to its end; all progress has been told when it resolves. */
export async function transfer(context: ImagesContext, request: TransferRequest): Promise<void> {
  const { source, destination, onProgress, signal, lease, concurrency } = request;
  const stream = await ClientStream.open(context, "progress", signal);
  const listening = listen(stream, onProgress).catch((error: unknown) =>
    context.log.debug({ err: error }, "the progress of a transfer ended early"),
  );
  try {
    const metadata = {
      ...(lease === undefined ? {} : { "containerd-lease": lease }),
      ...(concurrency === undefined ? {} : { "longshore-concurrency": String(concurrency) }),
    };
    const options = { signal, metadata };
    await context.containerd.transfer.transfer(
      { source, destination, options: { progressStream: stream.id } },
      options,
    );
    await listening;
  } finally {
    await stream.end();
  }
}

/**
 * Calls `use` with a registry as containerd's transfers take it: where it is by the engine's
 * configuration, and a stream that answers for the user.
 */
export async function withRegistry<T>(
  context: ImagesContext,
  reference: Reference,
  call: RegistryCall,
  use: (registry: Any) => Promise<T>,
): Promise<T> {
  await publishHosts(context, reference.domain);
  const resolver = { hostDir: context.hostsDir, headers: { ...call.headers } };
  const message = (authStream: string): Any =>
    packAny(OCIRegistrySchema, { reference: format(reference), resolver: { ...resolver, authStream } });
  if (credentialsOf(call.auth).kind === "none") return use(message(""));
  const stream = await ClientStream.open(context, "auth", call.signal);
  const answering = answerAuth(stream, call.auth).catch((error: unknown) =>
    context.log.debug({ err: error }, "the auth stream of a transfer ended early"),
  );
  try {
    return await use(message(stream.id));
  } finally {
    await stream.end();
    await answering;
  }
}

/**
 * Puts a registry's failure into the words that Docker's clients know. A registry that is out of
 * reach is a plain failure, not the engine's unavailability.
 */
export function registryFailure(error: unknown, reference: Reference): Error {
  const name = format(reference);
  const message = messageOf(error);
  const text = message.replace(/^failed to resolve image: /, "");
  const reason = isKind(error, "NotFound") ? `${name}: not found` : text;
  const shown = message === text ? text : `failed to resolve reference "${name}": ${reason}`;
  const code = grpcCodeOf(isKind(error, "Unavailable") ? new Unknown(shown) : error);
  return fromGrpcCode(code, shown, error);
}
