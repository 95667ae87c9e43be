import { fromBinary } from "@bufbuild/protobuf";
import { messageOf, Unknown } from "@longshore/errdefs";
import { type LogEntry, LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { textOf } from "../kept-bytes.ts";
import { type LogLine, timeOf } from "../line.ts";

/** Longest record that is taken from a plugin, in bytes. */
const maxEntryBytes = 16 << 20;

function lineOf({ source, timeNano, line }: LogEntry): LogLine {
  return { log: textOf(Buffer.from(line)), stream: source === "stderr" ? "stderr" : "stdout", time: timeOf(timeNano) };
}

/** Reads the frames that a log driver answers with. @throws Unknown `error decoding log message: …` for what is none, or was cut off */
export async function* readEntries(stream: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of stream) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let size = sizeOf(rest); rest.length >= 4 + size; size = sizeOf(rest)) {
        yield lineOf(fromBinary(LogEntrySchema, rest.subarray(4, 4 + size)));
        rest = rest.subarray(4 + size);
      }
    }
  } catch (error) {
    const cut =
      (error as NodeJS.ErrnoException).code === "ECONNRESET" ||
      (error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE";
    throw new Unknown(`error decoding log message: ${cut ? "unexpected EOF" : messageOf(error)}`, { cause: error });
  }
  if (rest.length > 0) throw new Unknown("error decoding log message: unexpected EOF");
}

/** How long the next record is; what is not there yet is too long for what is. */
function sizeOf(bytes: Buffer): number {
  if (bytes.length < 4) return Number.POSITIVE_INFINITY;
  const size = bytes.readUInt32BE();
  // Who answers in another format is not waited for.
  if (size > maxEntryBytes) throw new Unknown("unexpected EOF");
  return size;
}
