import { create, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { LogMessages } from "./messages.ts";

/** Turns records of a json-file log into the frames that log driver plugins read. */
export class Entries {
  readonly #messages = new LogMessages();

  /** @returns four bytes of length and the message; `undefined` for what is no record */
  frame(text: string): Buffer | undefined {
    const read = this.#messages.read(text);
    if (read === undefined) return undefined;
    const { stream: source, timeNano, line, partial } = read;
    const message = toBinary(
      LogEntrySchema,
      create(LogEntrySchema, {
        source,
        timeNano,
        line,
        ...(partial === undefined ? {} : { partial: true, partialLogMetadata: partial }),
      }),
    );
    const frame = Buffer.allocUnsafe(4 + message.length);
    frame.writeUInt32BE(message.length);
    frame.set(message, 4);
    return frame;
  }
}
