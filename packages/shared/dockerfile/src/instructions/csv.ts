/**
 * The fields of one line of comma separated values, as `--mount=type=bind,"target=/a,b"` holds them.
 * Errors have the words of Go's csv package, with the column from 1.
 */
export function csvFields(line: string): string[] {
  const text = line.replace(/\r?\n$/, "");
  if (text === "") throw new Error("EOF");
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] !== '"') {
      const comma = text.indexOf(",", at);
      const field = text.slice(at, comma < 0 ? undefined : comma);
      const quote = field.indexOf('"');
      if (quote >= 0) throw failure(text, at + quote, 'bare " in non-quoted-field');
      fields.push(field);
      if (comma < 0) return fields;
      at = comma + 1;
      continue;
    }
    const { field, end } = quoted(text, at + 1);
    fields.push(field);
    if (end >= text.length) return fields;
    at = end + 1;
  }
}

/** A quoted field from behind its first quote; `end` is where its comma stands, or the end of the line. */
function quoted(text: string, from: number): { field: string; end: number } {
  let field = "";
  for (let at = from; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw failure(text, at, 'extraneous or missing " in quoted-field');
    field += text.slice(at, quote);
    const next = text[quote + 1];
    if (next !== '"') {
      if (next !== undefined && next !== ",") throw failure(text, quote, 'extraneous or missing " in quoted-field');
      return { field, end: quote + 1 };
    }
    field += '"';
    at = quote + 2;
  }
}

function failure(text: string, at: number, what: string): Error {
  return new Error(`parse error on line 1, column ${Buffer.byteLength(text.slice(0, at)) + 1}: ${what}`);
}
