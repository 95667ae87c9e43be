import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { type Shape, parseJson as readGoJson, unmarshal, parsePlain } from "@longshore/go-json";
import { isDigest } from "@longshore/reference";
import type { Descriptor, HistoryEntry, Image, Index, Manifest } from "../image.ts";
import { completed } from "./descriptor.ts";
import * as shapes from "./shapes.ts";

/** Bytes of the largest document that is read: the largest manifest or configuration that registries take, doubled. */
export const maxDocumentBytes = 8 << 20;
/** Longest text whose faults are told in Go's words. */
const explainedCharacters = 64 << 10;
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Parses a document's JSON.
 * @param name of the document in errors: its digest or path
 * @param limit bytes that are taken at most
 * @throws InvalidArgument naming it, when it is too large or no JSON
 */
export function parseJson(name: string, bytes: Uint8Array | string, limit = maxDocumentBytes): unknown {
  if (bytes.length > limit)
    throw new InvalidArgument(`${name}: ${bytes.length} bytes are too many for a document: invalid argument`);
  const text =
    typeof bytes === "string" ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  try {
    return parsePlain(text);
  } catch (error) {
    throw new InvalidArgument(`${name} is not valid JSON: ${problemOf(text) ?? messageOf(error)}`, { cause: error });
  }
}

/** What is wrong with a JSON text in Go's words; undefined when that is not worth the time. */
function problemOf(text: string): string | undefined {
  if (text.length > explainedCharacters) return undefined;
  try {
    readGoJson(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Runs a part of a parser; what it throws names the document. */
function of<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgument(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

function members<T>(shape: Shape, value: unknown): Partial<T> {
  return (unmarshal(shape, value) ?? {}) as Partial<T>;
}

/** Whether an object has a member of one of these names, in any case, as Go reads them. */
function has(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).some(([key, member]) => member !== null && names.includes(key.toLowerCase()))
  );
}

function descriptors(list: readonly Partial<Descriptor>[] | null | undefined): Descriptor[] {
  return (list ?? []).map(completed);
}

/** What index and manifest have in common. */
function common({
  mediaType,
  artifactType,
  annotations,
  subject,
}: Partial<Index>): Pick<Index, "mediaType" | "artifactType" | "annotations" | "subject"> {
  return {
    ...(mediaType ? { mediaType } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(subject ? { subject: completed(subject) } : {}),
    ...(annotations ? { annotations } : {}),
  };
}

/**
 * Parses an index.
 * @param name its digest or path
 * @throws InvalidArgument naming it: no JSON, a member of a wrong type in Go's words, a descriptor that cannot be
 */
export function parseIndex(name: string, bytes: Uint8Array | string): Index {
  const value = parseJson(name, bytes);
  return of(name, () => {
    // A document that reads as both could be understood differently by others.
    if (has(value, "layers", "config", "fslayers"))
      throw new InvalidArgument("media-type: expected index but found manifest");
    const index = members<Index>(shapes.index, value);
    return { schemaVersion: 2, ...common(index), manifests: descriptors(index.manifests) };
  });
}

/** Parses a manifest; as `parseIndex`. */
export function parseManifest(name: string, bytes: Uint8Array | string): Manifest {
  const value = parseJson(name, bytes);
  return of(name, () => {
    if (has(value, "manifests", "fslayers")) throw new InvalidArgument("media-type: expected manifest but found index");
    const manifest = members<Manifest>(shapes.manifest, value);
    return {
      schemaVersion: 2,
      ...common(manifest),
      config: completed(manifest.config),
      layers: descriptors(manifest.layers),
    };
  });
}

function checkTime(time: string | undefined): void {
  if (time === undefined || (rfc3339.test(time) && !Number.isNaN(Date.parse(time)))) return;
  const quoted = JSON.stringify(time.slice(0, 100));
  throw new InvalidArgument(`parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`);
}

/**
 * Parses an image configuration; `config` holds the members that Docker knows.
 * @throws InvalidArgument as `parseIndex`, and `invalid image JSON, no RootFS key`
 */
export function parseImage(name: string, bytes: Uint8Array | string): Image {
  const value = parseJson(name, bytes);
  return of(name, () => {
    const {
      os = "",
      architecture = "",
      variant,
      rootfs,
      config,
      history,
      ...rest
    } = members<Image>(shapes.image, value);
    if (rootfs === undefined) throw new InvalidArgument("invalid image JSON, no RootFS key");
    const diffIds = rootfs.diff_ids ?? [];
    for (const [position, id] of diffIds.entries()) {
      if (!isDigest(id))
        throw new InvalidArgument(`invalid diffID for layer ${position}: ${JSON.stringify(String(id).slice(0, 200))}`);
    }
    const steps = history?.map((step: HistoryEntry | undefined) => step ?? {});
    for (const { created } of [rest, ...(steps ?? [])]) checkTime(created);
    return {
      ...rest,
      os,
      architecture,
      ...(variant ? { variant } : {}),
      ...(config ? { config } : {}),
      rootfs: { type: "layers", diff_ids: diffIds },
      ...(steps ? { history: steps } : {}),
    };
  });
}
