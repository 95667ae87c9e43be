import { type Linter, silentLinter } from "../lint/linter.ts";
import type { Source } from "../source/parse.ts";
import { SourceError, located } from "../source/source-error.ts";
import type { Statement } from "../source/statement.ts";
import { withSuggestion } from "../suggest.ts";
import type { Instruction, Stage } from "./instruction.ts";
import { readers } from "./readers.ts";

/** The stages of a Dockerfile, and the `ARG` instructions before the first. */
export interface Dockerfile {
  stages: Stage[];
  globals: (Instruction & { kind: "arg" })[];
}

/** Reads what the statements of a Dockerfile mean. @throws SourceError with BuildKit's words */
export function parseInstructions(source: Source, linter: Linter): Dockerfile {
  const stages: Stage[] = [];
  const globals: Dockerfile["globals"] = [];
  for (const statement of source.statements) {
    const parsed = read(statement, linter);
    if ("base" in parsed) stages.push(parsed);
    else if (stages.length === 0 && parsed.kind === "arg") globals.push(parsed);
    else if (stages.length === 0) throw new SourceError("no build stage in current context", [statement.lines]);
    else stages.at(-1)?.instructions.push(parsed);
  }
  return { stages, globals };
}

/** One statement that is no `FROM`, as `ONBUILD` and `commit --change` have them. @throws SourceError */
export function parseInstruction(statement: Statement, linter: Linter = silentLinter): Instruction {
  const parsed = parseMeaning(statement, linter);
  if ("base" in parsed) throw new SourceError("*instructions.Stage is not a command type", [statement.lines]);
  return parsed;
}

/** As `parseMeaning`, with the line in the message. */
function read(statement: Statement, linter: Linter): Instruction | Stage {
  try {
    return parseMeaning(statement, linter);
  } catch (error) {
    const { message, locations } = error as SourceError;
    const { start } = statement.lines;
    throw new SourceError(`dockerfile parse error on line ${start}: ${message}`, locations, { cause: error });
  }
}

function parseMeaning(statement: Statement, linter: Linter): Instruction | Stage {
  try {
    const name = statement.keyword.toLowerCase();
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined) {
      const keywords = Object.keys(readers).map((known) => known.toUpperCase());
      throw new Error(withSuggestion(`unknown instruction: ${statement.keyword}`, statement.keyword, keywords, false));
    }
    return reader(statement, linter.forComments(statement.comments));
  } catch (error) {
    throw located(error, statement.lines);
  }
}
