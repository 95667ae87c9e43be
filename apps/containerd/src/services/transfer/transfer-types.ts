import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { AnyStream } from "@longshore/containerd-client";
import { Unauthenticated } from "@longshore/errdefs";
import type { Descriptor, Platform } from "@longshore/oci";
import { packAny, unpackAny } from "@longshore/proto";
import type { Platform as PlatformMessage } from "@longshore/proto/containerd/types/types";
import {
  AuthRequestSchema,
  AuthResponseSchema,
  AuthType,
  type ImageStore,
  ProgressSchema,
  type UnpackConfiguration,
} from "@longshore/proto/containerd/types/transfer/transfer";
import type { Credentials, CredentialsCallback } from "@longshore/remotes";
import type { ImageDestination, Progress, ProgressSink, UnpackTarget } from "@longshore/transfer";

export function platformOf({ os, architecture, variant }: PlatformMessage): Platform {
  return { os, architecture, ...(variant === "" ? {} : { variant }) };
}

/** Stands for every platform: a message that names none. */
const anyPlatform: Platform = { os: "", architecture: "" };

/** Where and for which platform a message wants an image unpacked. */
export function unpackTargetOf({ platform, snapshotter }: UnpackConfiguration): UnpackTarget {
  return { platform: platform === undefined ? anyPlatform : platformOf(platform), snapshotter };
}

/** The destination that an `ImageStore` message describes. */
export function destinationOf(store: ImageStore): ImageDestination {
  return {
    name: store.name,
    labels: store.labels,
    platforms: store.platforms.map(platformOf),
    allMetadata: store.allMetadata,
    manifestLimit: store.manifestLimit,
    extraReferences: store.extraReferences,
    unpacks: store.unpacks.map(unpackTargetOf),
  };
}

function descriptorMessage({ mediaType, digest, size, annotations }: Descriptor): {
  mediaType: string;
  digest: string;
  size: bigint;
  annotations: Record<string, string>;
} {
  return { mediaType, digest, size: BigInt(size), annotations: annotations ?? {} };
}

/**
 * Sends progress over a stream, in order. A client that went away stops the messages, not the work.
 * @returns the sink, and a promise that all is sent
 */
export function progressOver(stream: AnyStream | undefined): { sink: ProgressSink; sent: () => Promise<void> } {
  let last: Promise<void> = Promise.resolve();
  const sink = ({ event, name = "", parents = [], progress = 0, total = 0, desc }: Progress): void => {
    if (stream === undefined) return;
    const message = packAny(ProgressSchema, {
      event,
      name,
      parents,
      progress: BigInt(progress),
      total: BigInt(total),
      ...(desc === undefined ? {} : { desc: descriptorMessage(desc) }),
    });
    last = stream.send(message).catch(() => undefined);
  };
  return { sink, sent: () => last };
}

function expired(at: Timestamp | undefined): boolean {
  return at !== undefined && timestampDate(at).getTime() <= Date.now();
}

/** Asks the client for credentials over its auth stream. */
export function credentialsOver(stream: AnyStream, reference: string): CredentialsCallback {
  return async ({ host, wwwAuthenticate }): Promise<Credentials> => {
    await stream.send(packAny(AuthRequestSchema, { host, reference, wwwauthenticate: [...wwwAuthenticate] }));
    const message = await stream.receive();
    const answer = message === undefined ? undefined : unpackAny(message, AuthResponseSchema);
    if (answer === undefined) throw new Unauthenticated(`no credentials for ${host}: the auth stream ended`);
    if (expired(answer.expireAt)) throw new Unauthenticated(`the credentials for ${host} have expired`);
    switch (answer.authType) {
      case AuthType.CREDENTIALS:
        return { kind: "basic", username: answer.username, password: answer.secret };
      case AuthType.REFRESH:
        return { kind: "identityToken", token: answer.secret };
      case AuthType.HEADER:
        return { kind: "header", authorization: answer.secret };
      default:
        return { kind: "none" };
    }
  };
}
