export { boolOf, parseBool } from "./bool.ts";
export { parseDuration } from "./duration.ts";
export { type IntegerParser, parseInteger } from "./integer.ts";
export { quoteBytes, quoteCharacter, quoteText } from "./quote.ts";
export { parseSignal } from "./signal.ts";
export { fromHumanSize, humanSize, ramInBytes } from "./size.ts";
