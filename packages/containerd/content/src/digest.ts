import { createHash, type Hash } from "node:crypto";
import { InvalidArgument } from "@longshore/errdefs";

const form = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const lengths: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

/** What is wrong with a digest, in the words of OCI's go-digest; undefined when nothing is. */
export function digestProblem(digest: string): string | undefined {
  if (!form.test(digest)) return "invalid checksum digest format";
  const [algorithm = "", encoded = ""] = digest.split(":");
  const length = lengths[algorithm];
  if (length === undefined) return "unsupported digest algorithm";
  if (encoded.length !== length) return "invalid checksum digest length";
  return /^[0-9a-f]+$/.test(encoded) ? undefined : "invalid checksum digest format";
}

/** @throws InvalidArgument unless `digest` is one; so it can be a file name afterwards. */
export function checkDigest(digest: string): void {
  const problem = digestProblem(digest);
  if (problem !== undefined) throw new InvalidArgument(`${digest}: ${problem}`);
}

/** The digest of bytes in hand. */
export function digestOf(data: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** A digest that grows with the data. */
export class Digester {
  readonly #algorithm: string;
  #hash: Hash;

  /** @param like a digest whose algorithm is to be used; "" for sha256 */
  constructor(like: string) {
    this.#algorithm = like === "" ? "sha256" : like.slice(0, like.indexOf(":"));
    this.#hash = createHash(this.#algorithm);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  reset(): void {
    this.#hash = createHash(this.#algorithm);
  }

  digest(): string {
    return `${this.#algorithm}:${this.#hash.copy().digest("hex")}`;
  }
}
