import { InvalidArgument } from "@longshore/errdefs";
import { unmarshal } from "@longshore/go-json";
import { isDigest } from "@longshore/reference";
import type { Descriptor, Platform } from "../image.ts";
import * as shapes from "./shapes.ts";

/** A media type that can stand in a header and in a record: printable, of RFC 6838's length with parameters. */
const mediaTypeForm = /^[\x20-\x7e]{1,255}$/;

/** What is wrong with a media type from outside; undefined when nothing is. */
export function mediaTypeProblem(mediaType: string): string | undefined {
  return mediaTypeForm.test(mediaType) ? undefined : `invalid media type ${JSON.stringify(mediaType.slice(0, 300))}`;
}

/** What is wrong with a size from outside, in bytes; undefined when nothing is. */
export function sizeProblem(size: number | bigint): string | undefined {
  const ok =
    typeof size === "bigint"
      ? size >= 0n && size <= BigInt(Number.MAX_SAFE_INTEGER)
      : Number.isSafeInteger(size) && size >= 0;
  return ok ? undefined : `invalid size ${size}`;
}

/** @throws InvalidArgument naming what is wrong */
function check({ mediaType, digest, size }: Partial<Descriptor>): void {
  if (digest === undefined || !isDigest(digest))
    throw new InvalidArgument(`descriptor with the invalid digest ${JSON.stringify((digest ?? "").slice(0, 200))}`);
  const problem = mediaTypeProblem(mediaType ?? "") ?? sizeProblem(size ?? 0);
  if (problem !== undefined) throw new InvalidArgument(`descriptor ${digest}: ${problem}`);
}

/**
 * The descriptor that decoded members make: what it must have is there and can be used as it stands.
 * @throws InvalidArgument
 */
export function completed(members: Partial<Descriptor> | undefined): Descriptor {
  const { mediaType = "", digest = "", size = 0, urls, annotations, platform, artifactType, data } = members ?? {};
  check({ mediaType, digest, size });
  return {
    mediaType,
    digest,
    size,
    ...(urls ? { urls } : {}),
    ...(annotations ? { annotations } : {}),
    ...(platform ? { platform: completedPlatform(platform) } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(data ? { data } : {}),
  };
}

/** Go's zero values where nothing is said. */
function completedPlatform({ os = "", architecture = "", variant, ...rest }: Partial<Platform>): Platform {
  return {
    os,
    architecture,
    ...(variant ? { variant } : {}),
    ...(rest["os.version"] ? { "os.version": rest["os.version"] } : {}),
    ...(rest["os.features"] ? { "os.features": rest["os.features"] } : {}),
  };
}

/** Reads a parsed JSON value as a descriptor. @throws InvalidArgument with Go's words for a wrong type */
export function parseDescriptor(value: unknown): Descriptor {
  return completed(unmarshal(shapes.descriptor, value) as Partial<Descriptor> | undefined);
}
