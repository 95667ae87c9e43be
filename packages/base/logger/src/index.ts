import { writeSync } from "node:fs";
import { destination, pino, type Logger } from "pino";
import { textLine } from "./text.ts";

export type { Logger };

/** dockerd's and containerd's level names. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** How a line is written: `json` is one object, `text` is dockerd's `key=value`. */
export type LogFormat = "json" | "text";

/** How long a full pipe is left to its reader, in milliseconds. */
const retryMs = 10;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of a line, however little a pipe takes at once. A log that nobody can write ends no daemon. */
function writeLine(fd: number, line: string): void {
  const bytes = Buffer.from(line);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(pause, 0, 0, retryMs);
    }
  }
}

/** The root logger of a process: one line for each message on `fd` (default stderr). */
export function createLogger(
  name: string,
  level: LogLevel = "info",
  { fd = 2, format = "json" }: { fd?: number; format?: LogFormat } = {},
): Logger {
  const to =
    format === "json" ? destination({ fd, sync: true }) : { write: (json: string) => writeLine(fd, textLine(json)) };
  return pino(
    { name, level, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    to,
  );
}

/** A logger that says nothing, for tests and for callers without one. */
export const silent: Logger = pino({ level: "silent" });
