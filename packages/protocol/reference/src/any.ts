import { isDigest } from "./digest.ts";
import { identifierPattern } from "./grammar.ts";
import { parseNormalized, type Reference } from "./reference.ts";

/** What names an image where both IDs and names are taken. */
export type AnyReference =
  | { readonly kind: "digest"; readonly digest: string }
  | { readonly kind: "name"; readonly reference: Reference };

/**
 * Parses an image's full ID (64 hex characters, or with its algorithm) or its name.
 * @throws InvalidArgument as `parseNormalized` does
 */
export function parseAnyReference(text: string): AnyReference {
  if (identifierPattern.test(text)) return { kind: "digest", digest: `sha256:${text}` };
  if (isDigest(text)) return { kind: "digest", digest: text };
  return { kind: "name", reference: parseNormalized(text) };
}
