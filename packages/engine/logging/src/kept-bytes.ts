import { isUtf8 } from "node:buffer";

/** Stands for a byte that is no UTF-8: half a pair, which no text has, in its last eight bits. */
const mark = 0xdc00;

/** The bytes of a record's text, in which halves of pairs from U+DC80 to U+DCFF stand for bytes that are no UTF-8. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/([\udc80-\udcff]+)/u);
  return Buffer.concat(
    parts.map((part, i) =>
      i % 2 === 0 ? Buffer.from(part) : Buffer.from(part, "utf16le").filter((_byte, at) => at % 2 === 0),
    ),
  );
}

/** The text of bytes, such that `bytesOf` gives them back. */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    const whole = character.length === length && isUtf8(character);
    text += whole ? character.toString("utf8") : String.fromCharCode(mark | lead);
    at += whole ? length : 1;
  }
  return text;
}
