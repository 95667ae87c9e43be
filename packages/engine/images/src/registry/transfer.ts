import type { Any } from "@bufbuild/protobuf/wkt";
import { ClientStream, registryWords, transferReason, transferReasons } from "@longshore/containerd-client";
import { Unknown, fromGrpcCode, grpcCodeOf, isKind } from "@longshore/errdefs";
import { packAny } from "@longshore/proto";
import { OCIRegistrySchema } from "@longshore/proto/containerd/types/transfer/transfer";
import { format, type Reference } from "@longshore/reference";
import { answerAuth, credentialsOf } from "./auth.ts";
import type { ImagesContext, RegistryCall } from "../model/context.ts";
import { publishHosts } from "./registry-hosts.ts";

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
  const text = registryWords(error);
  const why = isKind(error, "NotFound") ? `${name}: not found` : text;
  const unresolved = transferReason(error) === transferReasons.resolveFailed;
  const shown = unresolved ? `failed to resolve reference "${name}": ${why}` : text;
  const code = grpcCodeOf(isKind(error, "Unavailable") ? new Unknown(shown) : error);
  return fromGrpcCode(code, shown, error);
}
