import { renderLogRecords } from "@longshore/sys";
import { bytesOf } from "./kept-bytes.ts";
import { type LogLine, nanosOf, parseLine, renderLine } from "./line.ts";

/** What of a log is shown, and how. */
export interface LogShow {
  stdout: boolean;
  stderr: boolean;
  /** Each record in a frame of Docker's multiplexed format, as clients take a frame for a line; its text alone otherwise. */
  framed: boolean;
  timestamps: boolean;
  /** The record's attributes before its text. */
  details: boolean;
  /** Nanoseconds since 1970; 0 for no bound. */
  since: bigint;
  until: bigint;
}

export interface Rendered {
  pieces: Uint8Array[];
  /** How many lines were no records. */
  damaged: number;
  /** Whether a line was later than `until`: nothing behind it is wanted. */
  over: boolean;
}

/** What native code wants behind the end of what it may write. */
const headRoom = 64;
const lineFeed = 10;

/**
 * Renders whole lines of a json-file log. Native code takes the form that Docker and the shim write; what it stops at
 * (another order of keys, text that is no UTF-8, a damaged line) and all that is asked for seldom is taken line by line.
 */
export function renderRecords(records: Buffer, show: LogShow): Rendered {
  const rendered: Rendered = { pieces: [], damaged: 0, over: false };
  const simple = !show.details && show.since === 0n && show.until === 0n;
  const out = simple ? Buffer.allocUnsafe(records.length + headRoom) : Buffer.alloc(0);
  let at = 0;
  let begin = 0;
  while (begin < records.length && !rendered.over) {
    if (simple) {
      const { read, written } = renderLogRecords(records, begin, out, at, show);
      if (written > at) rendered.pieces.push(out.subarray(at, written));
      at = written;
      begin = read;
      if (begin === records.length) break;
    }
    const feed = records.indexOf(lineFeed, begin);
    const end = feed < 0 ? records.length : feed;
    renderText(records.toString("utf8", begin, end), show, rendered);
    begin = end + 1;
  }
  return rendered;
}

/** Renders lines that come from elsewhere than a file, up to the first that is later than `until`. */
export async function* renderLines(lines: AsyncIterable<LogLine>, show: LogShow): AsyncGenerator<Buffer> {
  for await (const line of lines) {
    const place = placeOf(line, show);
    if (place === "after") return;
    if (place === "within" && show[line.stream]) yield framed(line, renderLine(line, show), show.framed);
  }
}

/** What of a log could not be read, in the stream of the log itself: in a frame of its own kind, or as text. */
export function renderError(message: string, inFrame: boolean): Buffer {
  const text = Buffer.from(`Error grabbing logs: ${message}\n`);
  if (!inFrame) return text;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(3 << 24, 0);
  head.writeUInt32BE(text.length, 4);
  return Buffer.concat([head, text]);
}

function renderText(text: string, show: LogShow, rendered: Rendered): void {
  const line = parseLine(text);
  if (line === undefined) {
    rendered.damaged++;
    return;
  }
  const place = placeOf(line, show);
  rendered.over = place === "after";
  if (place === "within" && show[line.stream]) rendered.pieces.push(framed(line, renderLine(line, show), show.framed));
}

/** Where a line stands to the bounds in time. */
function placeOf(line: LogLine, { since, until }: LogShow): "before" | "within" | "after" {
  if (since === 0n && until === 0n) return "within";
  const nanos = nanosOf(line.time);
  if (nanos < since) return "before";
  return until > 0n && nanos > until ? "after" : "within";
}

function framed({ stream }: LogLine, text: string, wanted: boolean): Buffer {
  const bytes = bytesOf(text);
  if (!wanted) return bytes;
  const head = Buffer.alloc(8);
  head.writeUInt32BE((stream === "stdout" ? 1 : 2) << 24, 0);
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}
