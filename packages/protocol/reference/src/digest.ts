import { InvalidArgument } from "@longshore/errdefs";

/** Hex characters of each algorithm's digest. */
const lengths = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/** What is wrong with a digest; undefined when nothing is. */
function problemOf(digest: string): string | undefined {
  if (!/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(digest)) return "invalid checksum digest format";
  const colon = digest.indexOf(":");
  const length = lengths.get(digest.slice(0, colon));
  if (length === undefined) return "unsupported digest algorithm";
  const hex = digest.slice(colon + 1);
  if (hex.length !== length) return "invalid checksum digest length";
  return /^[a-f0-9]+$/.test(hex) ? undefined : "invalid checksum digest format";
}

/**
 * Checks a digest `algorithm:hex`.
 * @throws InvalidArgument `invalid checksum digest format`, `invalid checksum digest length` or
 * `unsupported digest algorithm`
 */
export function validateDigest(digest: string): void {
  const problem = problemOf(digest);
  if (problem !== undefined) throw new InvalidArgument(problem);
}

/** Whether `text` is a digest of a supported algorithm. Names are asked too, so no error is made for the answer. */
export function isDigest(text: string): boolean {
  return problemOf(text) === undefined;
}
