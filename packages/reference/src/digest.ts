import { InvalidArgument } from "@longshore/errdefs";

/** Hex characters of each algorithm's digest. */
const lengths = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/**
 * Checks a digest `algorithm:hex`.
 * @throws InvalidArgument `invalid checksum digest format`, `invalid checksum digest length` or
 * `unsupported digest algorithm`
 */
export function validateDigest(digest: string): void {
  if (!/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(digest)) throw new InvalidArgument("invalid checksum digest format");
  const colon = digest.indexOf(":");
  const length = lengths.get(digest.slice(0, colon));
  if (length === undefined) throw new InvalidArgument("unsupported digest algorithm");
  const hex = digest.slice(colon + 1);
  if (hex.length !== length) throw new InvalidArgument("invalid checksum digest length");
  if (!/^[a-f0-9]+$/.test(hex)) throw new InvalidArgument("invalid checksum digest format");
}

/** Whether `text` is a digest of a supported algorithm. */
export function isDigest(text: string): boolean {
  try {
    validateDigest(text);
    return true;
  } catch {
    return false;
  }
}
