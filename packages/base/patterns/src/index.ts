export { compileRegExp, type Pattern, PatternTooLarge } from "./reg-exp.ts";
export { RegExpSet } from "./reg-exp-set.ts";
export { compilePathMatch } from "./path-match.ts";
export { filterInSlices, flatMapInSlices } from "./slices.ts";
