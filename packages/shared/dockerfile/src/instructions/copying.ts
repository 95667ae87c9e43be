import { chompTabs, parseHeredoc } from "../source/heredoc.ts";
import type { Statement } from "../source/statement.ts";
import { WordError } from "../words/word-error.ts";
import { valuesOf } from "./common.ts";
import type { InlineSource } from "./instruction.ts";

/** The words of `COPY` and `ADD`, of which there must be two. */
export function copying(statement: Statement, keyword: string): string[] {
  const words = valuesOf(statement.arguments);
  if (words.length < 2) {
    throw new Error(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  return words;
}

/** Tells files from here-documents, and the destination from both. */
export function sourcesOf(
  statement: Statement,
  words: string[],
  keyword: string,
): { sources: string[]; inline: InlineSource[]; destination: string } {
  const destination = words.at(-1) ?? "";
  if (heredocOrNone(destination) !== undefined) throw new Error(`${keyword} cannot accept a heredoc as a destination`);
  const sources: string[] = [];
  const inline: InlineSource[] = [];
  for (const word of words.slice(0, -1)) {
    const heredoc = heredocOrNone(word);
    if (heredoc === undefined) {
      sources.push(word);
      continue;
    }
    const content = statement.heredocs.findLast((document) => document.name === heredoc.name)?.content ?? "";
    inline.push({
      path: heredoc.name,
      content: heredoc.chomp ? chompTabs(content) : content,
      expand: heredoc.expand,
    });
  }
  return { sources, inline, destination };
}

function heredocOrNone(word: string): ReturnType<typeof parseHeredoc> {
  try {
    return parseHeredoc(word);
  } catch (error) {
    if (error instanceof WordError) return undefined;
    throw error;
  }
}
