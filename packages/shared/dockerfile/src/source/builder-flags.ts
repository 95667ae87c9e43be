/**
 * Takes the `--flag` words from the beginning of a statement's arguments; they may be quoted. `--` alone ends them.
 */
export function takeFlags(line: string, escape: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  const characters = [...line];
  let at = 0;
  for (;;) {
    while (at < characters.length && isSpace(characters[at])) at++;
    if (at >= characters.length) return { flags, rest: "" };
    if (characters[at] !== "-" || characters[at + 1] !== "-") return { flags, rest: characters.slice(at).join("") };
    const word = takeWord(characters, at, escape);
    at = word.end;
    // At the very end `--` is no word, since nothing stands behind it.
    if (word.text === "--") return { flags, rest: characters.slice(at).join("") };
    if (word.text !== "" || word.quoted) flags.push(word.text);
  }
}

function takeWord(characters: string[], from: number, escape: string): { text: string; quoted: boolean; end: number } {
  let text = "";
  let quote: string | undefined;
  let quoted = false;
  let at = from;
  for (; at < characters.length; at++) {
    const character = characters[at]!;
    if (quote === undefined && isSpace(character)) break;
    if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      quoted = true;
    } else if (character === escape) {
      at++;
      text += characters[at] ?? "";
    } else text += character;
  }
  return { text, quoted, end: Math.min(at, characters.length) };
}

export function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\p{White_Space}/u.test(character);
}
