import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { bytesOf } from "../kept-bytes.ts";
import { nanosOf, parseLine } from "../line.ts";

/** A line that goes on in the next record of its stream. */
interface Unfinished {
  id: string;
  ordinal: number;
}

/** Turns records of a json-file log into the frames that log driver plugins read. */
export class Entries {
  readonly #unfinished = new Map<string, Unfinished>();

  /** @returns four bytes of length and the message; `undefined` for what is no record */
  frame(line: string): Buffer | undefined {
    const record = parseLine(line);
    if (record === undefined) return undefined;
    const whole = record.log.endsWith("\n");
    const text = whole ? record.log.slice(0, -1) : record.log;
    const piece = this.#piece(record.stream, whole);
    const message = toBinary(
      LogEntrySchema,
      create(LogEntrySchema, {
        source: record.stream,
        timeNano: nanosOf(record.time),
        line: bytesOf(text),
        ...(piece === undefined ? {} : { partial: true, partialLogMetadata: { ...piece, last: whole } }),
      }),
    );
    const frame = Buffer.allocUnsafe(4 + message.length);
    frame.writeUInt32BE(message.length);
    frame.set(message, 4);
    return frame;
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
