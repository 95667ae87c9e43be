/** What makes the character behind it an ordinary one. */
export type EscapeToken = "\\" | "`";

/**
 * Reads up to white space that is neither quoted nor escaped.
 * @param quotes whether quotes and escapes stay in the word
 * @returns the word, and where it ends in `text`
 */
export function splitQuoted(
  text: string,
  escape: EscapeToken,
  quotes: "keep" | "strip",
): { word: string; end: number } {
  let word = "";
  let quote = "";
  let at = 0;
  for (; at < text.length; at++) {
    let character = text[at] ?? "";
    if (quote === "" && /\s/.test(character)) break;
    const isQuote = quote === "" ? character === "'" || character === '"' : character === quote;
    if (isQuote) {
      quote = quote === "" ? character : "";
      if (quotes === "strip") continue;
    } else if (character === escape && (quote !== "'" || quotes === "strip")) {
      // At the end of the line it stands for nothing.
      if (at + 1 === text.length) continue;
      if (quotes === "keep") word += character;
      at += 1;
      character = text[at] ?? "";
    }
    word += character;
  }
  return { word, end: at };
}

/** Splits at white space that is neither quoted nor escaped; quotes and escapes stay. */
export function splitWords(text: string, escape: EscapeToken): string[] {
  const words: string[] = [];
  for (let rest = text.trimStart(); rest !== "";) {
    const { word, end } = splitQuoted(rest, escape, "keep");
    if (word !== "") words.push(word);
    rest = rest.slice(end).trimStart();
  }
  return words;
}
