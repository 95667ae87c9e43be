import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { parseLine, renderLine } from "./line.ts";
import { type LogShow, renderRecords } from "./render.ts";

const pick = <T>(choices: readonly T[]): T => choices[randomInt(choices.length)] as T;

const inside: readonly (() => string | Buffer)[] = [
  () => "plain text, as most of it is",
  () =>
    pick([
      '\\"',
      "\\\\",
      "\\/",
      "\\b",
      "\\f",
      "\\n",
      "\\r",
      "\\t",
      "\\u003c",
      "\\u0000",
      "\\u00e9",
      "\\uABCD",
      "\\ufffd",
      "\\ud83d\\ude00",
    ]),
  () => pick(["\\ud83d", "\\ude00x", "\\u12", "\\u00g0", "\\x", "\\U0041", "\\"]),
  () => pick(["é", "\u2028", "漢字", "😀", "<&>", "\x7f", "\ufeff"]),
  () => Buffer.from(pick([[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80]])),
  () => pick(["\t", "\x00", "\x1f", '"', "\r"]),
  () => "x".repeat(randomInt(40)),
  () => "long ".repeat(randomInt(4000)),
];

/** A text that is mostly as Docker writes it, with anything in it now and then. */
function text(): Buffer {
  const odd = randomInt(4) === 0;
  const parts = Array.from(
    { length: randomInt(6) },
    () => (odd ? pick(inside) : pick([inside[0], inside[1], inside[3], inside[6]]))?.() ?? "",
  );
  return Buffer.concat([...parts.map((part) => Buffer.from(part as string)), Buffer.from("\\n")]);
}

function record(): Buffer {
  const stream = pick(["stdout", "stdout", "stderr", "stderr", "std", "STDOUT", ""]);
  const time = pick([
    "2026-01-01T00:00:00.123456789Z",
    "2026-01-01T00:00:00.123456789Z",
    "2026-01-01T00:00:00.5Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.1234567Z ",
    "2026-01-01T00:00:00.12345+01:00",
    "",
  ]);
  const attrs = pick([
    "",
    "",
    '"attrs":{},',
    '"attrs":{"a":"b","tag":"x y"},',
    '"attrs":{"é":"\\n"},',
    '"attrs":{"a":1},',
    '"attrs":{"a":{"b":"c"}},',
    '"attrs":{"a":"b",},',
  ]);
  const head = pick(['{"log":"', '{"log":"', '{"log":"', '{"log":"', '{ "log": "', '{"Log":"', '{"x":1,"log":"', ""]);
  const tail = pick(['"}', '"}', '"}', '"}', '"} ', '"', '","time":"2027-01-01T00:00:00.000000000Z"}', '"}\r', '"}}']);
  return Buffer.concat([
    Buffer.from(head),
    text(),
    Buffer.from(`","stream":"${stream}",${attrs}"time":"${time}${tail}`),
    Buffer.from("\n"),
  ]);
}

/** Line by line, without native code. */
function expected(lines: readonly Buffer[], show: LogShow): { bytes: Buffer; damaged: number } {
  let damaged = 0;
  const out: Buffer[] = [];
  for (const line of lines) {
    const parsed = parseLine(line.toString("utf8", 0, line.length - 1));
    if (parsed === undefined) damaged++;
    if (parsed === undefined || !show[parsed.stream]) continue;
    const payload = Buffer.from(renderLine(parsed, show));
    const header = Buffer.alloc(show.framed ? 8 : 0);
    if (show.framed) {
      header[0] = parsed.stream === "stdout" ? 1 : 2;
      header.writeUInt32BE(payload.length, 4);
    }
    out.push(header, payload);
  }
  return { bytes: Buffer.concat(out), damaged };
}

describe("rendering records of a log", () => {
  it("gives the same bytes in native code as line by line, whatever is in them", () => {
    for (let round = 0; round < 300; round++) {
      // No feed inside, as that would end the record.
      const lines = Array.from({ length: randomInt(1, 30) }, record);
      const show: LogShow = {
        stdout: randomInt(4) > 0,
        stderr: randomInt(4) > 0,
        framed: randomInt(2) === 0,
        timestamps: randomInt(2) === 0,
        details: randomInt(8) === 0,
        since: 0n,
        until: 0n,
      };
      const { pieces, damaged } = renderRecords(Buffer.concat(lines), show);
      const wanted = expected(lines, show);
      const context = `${JSON.stringify(show, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value))}\n${Buffer.concat(lines).toString("latin1")}`;
      assert.ok(Buffer.concat(pieces).equals(wanted.bytes), context);
      assert.equal(damaged, wanted.damaged, context);
    }
  });

  it("takes what Docker writes in one piece", () => {
    const lines =
      Buffer.from(String.raw`{"log":"a \u003cb\u003e \"c\" é\n","stream":"stdout","attrs":{"a":"b"},"time":"2026-01-01T00:00:00.123456789Z"}
{"log":"\r\n","stream":"stderr","time":"2026-01-01T00:00:01.123456789Z"}
`);
    const { pieces } = renderRecords(lines, {
      stdout: true,
      stderr: true,
      framed: false,
      timestamps: true,
      details: false,
      since: 0n,
      until: 0n,
    });
    assert.deepEqual(pieces.map(String), [
      '2026-01-01T00:00:00.123456789Z a <b> "c" é\n2026-01-01T00:00:01.123456789Z \r\n',
    ]);
  });
});
