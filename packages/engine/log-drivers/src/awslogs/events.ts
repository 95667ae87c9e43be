import type { LogMessage } from "@longshore/logging";
import type { Pattern } from "@longshore/patterns";

/** CloudWatch's bounds: of an event with its 26 bytes, of one request. */
const eventOverhead = 26;
const maxEventBytes = 262_144 - eventOverhead;
const maxRequestBytes = 1_048_576;
const maxRequestEvents = 10_000;

export interface LogEvent {
  message: string;
  /** Milliseconds since 1970. */
  timestamp: number;
}

/** A text in pieces of at most so many bytes, no character of which is split. */
function pieces(text: string): string[] {
  if (Buffer.byteLength(text) <= maxEventBytes) return text === "" ? [] : [text];
  const found: string[] = [];
  const bytes = Buffer.from(text);
  for (let begin = 0; begin < bytes.length;) {
    let end = Math.min(begin + maxEventBytes, bytes.length);
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
    found.push(bytes.toString("utf8", begin, end));
    begin = end;
  }
  return found;
}

/** Lines that belong together, until the next event begins or they have waited long enough. */
export class Gathering {
  readonly #begins: Pattern;
  readonly #flushMs: number;
  #text = "";
  #timestamp = 0;
  #since = 0;
  /** How many messages are held. */
  held = 0;

  constructor(begins: Pattern, flushMs: number) {
    this.#begins = begins;
    this.#flushMs = flushMs;
  }

  /** @returns what is complete */
  add({ line, timeNano }: LogMessage): LogEvent[] {
    const text = `${line.toString()}\n`;
    const full = Buffer.byteLength(this.#text) + Buffer.byteLength(text) > maxEventBytes;
    const done = full || this.#begins.test(line.toString()) ? this.flush() : [];
    if (this.held === 0) {
      this.#timestamp = Number(timeNano / 1_000_000n);
      this.#since = performance.now();
    }
    this.#text += text;
    this.held++;
    return done;
  }

  /** What has waited too long. */
  expired(): LogEvent[] {
    return this.held > 0 && performance.now() - this.#since >= this.#flushMs ? this.flush() : [];
  }

  flush(): LogEvent[] {
    const events = eventsOf(this.#text, this.#timestamp);
    this.#text = "";
    this.held = 0;
    return events;
  }
}

export function eventsOf(text: string, timestamp: number): LogEvent[] {
  return pieces(text).map((message) => ({ message, timestamp }));
}

/** Events in the order of their times, as requests take them. */
export function batches(events: readonly LogEvent[]): LogEvent[][] {
  const found: LogEvent[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const event of events.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const size = Buffer.byteLength(event.message) + eventOverhead;
    if (bytes + size > maxRequestBytes || (found.at(-1)?.length ?? 0) >= maxRequestEvents) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1)?.push(event);
    bytes += size;
  }
  return found;
}
