export {
  type Reference,
  defaultDomain,
  defaultTag,
  parse,
  parseDockerRef,
  parseNormalized,
  splitHostPath,
  tagNameOnly,
  trimNamed,
  withDigest,
  withTag,
} from "./reference.ts";
export { familiarName, familiarString, format, repositoryOf } from "./format.ts";
export { type AnyReference, parseAnyReference } from "./any.ts";
export { isDigest, validateDigest } from "./digest.ts";
export { validateIdentifier } from "./identifiers.ts";
