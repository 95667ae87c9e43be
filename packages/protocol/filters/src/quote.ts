const simple: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/**
 * The text of a quoted literal that the scanner has passed: Go's string syntax, whatever the
 * quote mark. `\x` and octal escapes stand for bytes, so that several can make one UTF-8 character.
 * @returns undefined when an escape names no code point
 */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (!body.includes("\\")) return body;
  const parts: Buffer[] = [];
  const pattern = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))|([^\\]+)/gsu;
  for (const [, hex, short, long, octal, char, plain] of body.matchAll(pattern)) {
    const byte =
      hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : undefined;
    if (byte !== undefined) {
      if (byte > 255) return undefined;
      parts.push(Buffer.from([byte]));
      continue;
    }
    const code = short ?? long;
    if (code === undefined) {
      parts.push(Buffer.from(plain ?? simple[char ?? ""] ?? char ?? ""));
      continue;
    }
    const point = Number.parseInt(code, 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    parts.push(Buffer.from(String.fromCodePoint(point)));
  }
  return Buffer.concat(parts).toString();
}
