export { readBlob, writeBlob } from "./blob.ts";
export type * from "./contract.ts";
export { checkDigest, digestOf, digestProblem } from "./digest.ts";
export { LocalStore } from "./local.ts";
