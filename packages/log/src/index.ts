import { destination, pino, type Logger } from "pino";

export type { Logger };

/** dockerd's and containerd's level names. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** The root logger of a process: one JSON object per line on `fd` (default stderr). */
export function createLogger(name: string, level: LogLevel = "info", fd = 2): Logger {
  return pino(
    { name, level, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination({ fd, sync: true }),
  );
}

/** A logger that says nothing, for tests and for callers without one. */
export const silent: Logger = pino({ level: "silent" });
