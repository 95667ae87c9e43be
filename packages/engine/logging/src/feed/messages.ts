import { randomBytes } from "node:crypto";
import { bytesOf } from "../kept-bytes.ts";
import { nanosOf, parseLine } from "../line.ts";

/** A line, or a piece of a long one, as log drivers get it. */
export interface LogMessage {
  stream: "stdout" | "stderr";
  /** Nanoseconds since 1970. */
  timeNano: bigint;
  /** Without the newline. */
  line: Buffer;
  /** Of a piece: pieces of one line have one id, and count from 1. */
  partial?: { id: string; ordinal: number; last: boolean };
}

/** A line that goes on in the next record of its stream. */
interface Unfinished {
  id: string;
  ordinal: number;
}

/** Reads the records of a json-file log as messages. */
export class LogMessages {
  readonly #unfinished = new Map<string, Unfinished>();

  /** @returns `undefined` for what is no record */
  read(text: string): LogMessage | undefined {
    const record = parseLine(text);
    if (record === undefined) return undefined;
    const whole = record.log.endsWith("\n");
    const piece = this.#piece(record.stream, whole);
    return {
      stream: record.stream,
      timeNano: nanosOf(record.time),
      line: bytesOf(whole ? record.log.slice(0, -1) : record.log),
      ...(piece === undefined ? {} : { partial: { ...piece, last: whole } }),
    };
  }

  #piece(stream: string, whole: boolean): Unfinished | undefined {
    const before = this.#unfinished.get(stream);
    if (whole) this.#unfinished.delete(stream);
    if (whole && before === undefined) return undefined;
    const piece = { id: before?.id ?? randomBytes(32).toString("hex"), ordinal: (before?.ordinal ?? 0) + 1 };
    if (!whole) this.#unfinished.set(stream, piece);
    return piece;
  }
}
