export { parseInstruction, parseInstructions, type Dockerfile } from "./instructions/parse.ts";
export type { Healthcheck, Instruction, Stage } from "./instructions/instruction.ts";
export { defaultLintOptions, Linter } from "./lint/linter.ts";
export { parseSource } from "./source/parse.ts";
export { SourceError } from "./source/source-error.ts";
export { Expander } from "./words/expand.ts";
export { WordError } from "./words/word-error.ts";
