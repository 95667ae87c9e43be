import { expand } from "../words/expand.ts";

/** A here-document: `<<EOF` and the lines up to `EOF`. */
export interface Heredoc {
  name: string;
  fileDescriptor: number;
  /** Whether variables in the content are expanded: not if a part of the name was quoted. */
  expand: boolean;
  /** `<<-`: tabs at the beginning of lines do not count. */
  chomp: boolean;
  content: string;
}

const form = /^(\d*)<<(-?)\s*([^<]*)$/;
const unset = (): undefined => undefined;

/** Reads one word of a statement as the beginning of a here-document. @throws WordError */
export function parseHeredoc(word: string): Heredoc | undefined {
  const match = form.exec(word);
  const rest = match?.[3] ?? "";
  if (match === null || rest === "") return undefined;
  const plain = expand(rest, unset, { escape: "\\", keepUnset: true }).words;
  const [name] = plain;
  if (plain.length !== 1 || name === undefined) return undefined;
  const [raw = ""] = expand(rest, unset, { escape: "\\", keepUnset: true, rawQuotes: true }).words;
  return {
    name,
    fileDescriptor: Number(match[1] || 0),
    expand: countQuotes(name) === countQuotes(raw),
    chomp: match[2] === "-",
    content: "",
  };
}

/** The here-documents that a statement begins, in order. @throws WordError */
export function heredocsOf(line: string): Heredoc[] {
  let words: string[];
  try {
    words = expand(line, unset, { escape: "\\", keepUnset: true, rawQuotes: true, rawEscapes: true }).words;
  } catch {
    // The line is for the shell of the step, and not always one of a Dockerfile's words.
    return [];
  }
  return words.map(parseHeredoc).filter((heredoc) => heredoc !== undefined);
}

export function chompTabs(content: string): string {
  return content.replace(/^\t+/gm, "");
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, "").length;
}
