/** What Go prints as it is; of spaces only the usual one. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const named: Record<string, string> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** A character as `strconv` of Go writes it between quotes. */
function escape(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const known = named[character];
  if (known !== undefined) return known;
  if (printable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

/** The character of `text` at `at`, in quotes as Go shows one. */
export function quoteCharacter(text: string, at: number): string {
  return `'${escape(String.fromCodePoint(text.codePointAt(at) ?? 0), "'")}'`;
}

/** Text in quotes as Go shows it. */
export function quoteText(text: string): string {
  return `"${[...text].map((character) => escape(character, '"')).join("")}"`;
}

/** The same for bytes that may end within a character. */
export function quoteBytes(bytes: Buffer): string {
  const whole = bytes.toString();
  const cut = whole.endsWith("\ufffd") ? whole.slice(0, whole.indexOf("\ufffd")) : whole;
  const rest = [...bytes.subarray(Buffer.byteLength(cut))].map((byte) => `\\x${hex(byte, 2)}`);
  return `${quoteText(cut).slice(0, -1)}${rest.join("")}"`;
}
