import { InvalidArgument } from "@longshore/errdefs";
import { validateDigest } from "./digest.ts";
import { identifierPattern, maxPathLength, namePattern, referencePattern, tagPattern } from "./grammar.ts";

/** A parsed image name. A normalized one always has a domain; `docker.io` stands for Docker Hub. */
export interface Reference {
  /** Registry host, with its port if any (`docker.io`, `localhost:5000`). */
  readonly domain: string;
  /** Repository within the registry (`library/debian`). */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

export const defaultDomain = "docker.io";
export const defaultTag = "latest";
const legacyDefaultDomain = "index.docker.io";
const officialPrefix = "library/";

/** Characters of a text that is looked at: far more than host, repository, tag and digest together may have. */
const longest = 4096;

/**
 * Parses a name as it stands, without Docker's defaults: `debian` has no domain (empty).
 * @throws InvalidArgument with distribution's texts
 */
export function parse(text: string): Reference {
  refuseTooLong(text, parse);
  const match = referencePattern.exec(text);
  if (match === null) {
    if (text === "") throw new InvalidArgument("repository name must have at least one component");
    if (referencePattern.test(text.toLowerCase())) throw new InvalidArgument("repository name must be lowercase");
    throw new InvalidArgument("invalid reference format");
  }
  const [, name = "", tag, digest] = match;
  const [, domain = "", path = name] = namePattern.exec(name) ?? [];
  if (path.length > maxPathLength)
    throw new InvalidArgument(`repository name must not be more than ${maxPathLength} characters`);
  if (digest !== undefined) validateDigest(digest);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** Megabytes for a name cost no more than its beginning, whose own fault comes first. */
function refuseTooLong(text: string, parseBeginning: (text: string) => Reference): void {
  if (text.length <= longest) return;
  // A separator that the cut left at the end is no fault of the text.
  parseBeginning(text.slice(0, longest).replace(/[^a-zA-Z0-9]+$/, ""));
  throw new InvalidArgument(`repository name must not be more than ${maxPathLength} characters`);
}

/**
 * Splits a name into Docker's registry host and the rest, which still carries tag and digest:
 * `debian:12` gives `docker.io` and `library/debian:12`. The first part counts as a host if it is
 * `localhost`, has a dot, a colon or a capital letter.
 */
export function splitHostPath(name: string): { host: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  const given = isHost ? first : defaultDomain;
  const host = given === legacyDefaultDomain ? defaultDomain : given;
  const rest = isHost ? name.slice(slash + 1) : name;
  return { host, path: host === defaultDomain && !rest.includes("/") ? officialPrefix + rest : rest };
}

/**
 * Parses what a user writes: `debian` means `docker.io/library/debian`. No tag is added.
 * @throws InvalidArgument with Docker's texts, e.g. `invalid reference format`
 */
export function parseNormalized(text: string): Reference {
  refuseTooLong(text, parseNormalized);
  if (identifierPattern.test(text)) {
    throw new InvalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { host, path } = splitHostPath(text);
  const [repository = ""] = path.split(":", 1);
  if (repository.toLowerCase() !== repository) {
    throw new InvalidArgument(`invalid reference format: repository name (${repository}) must be lowercase`);
  }
  return parse(`${host}/${path}`);
}

/**
 * Parses a name for pulling: normalized, with `latest` when there is neither tag nor digest, and
 * without the tag when there is a digest, which decides alone.
 */
export function parseDockerRef(text: string): Reference {
  const reference = parseNormalized(text);
  return reference.digest === undefined ? tagNameOnly(reference) : withoutTag(reference);
}

/** Adds the tag `latest` to a reference that has neither tag nor digest. */
export function tagNameOnly(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: defaultTag } : reference;
}

/** The repository alone. */
export function trimNamed({ domain, path }: Reference): Reference {
  return { domain, path };
}

function withoutTag({ domain, path, digest }: Reference): Reference {
  return { domain, path, ...(digest === undefined ? {} : { digest }) };
}

/** @throws InvalidArgument `invalid tag format` */
export function withTag(reference: Reference, tag: string): Reference {
  if (!tagPattern.test(tag)) throw new InvalidArgument("invalid tag format");
  return { ...reference, tag };
}

/** @throws InvalidArgument as `validateDigest` does */
export function withDigest(reference: Reference, digest: string): Reference {
  validateDigest(digest);
  return { ...reference, digest };
}
