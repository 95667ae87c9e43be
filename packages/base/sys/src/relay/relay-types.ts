/** The end of a child of this process. */
export interface ProcessExit {
  pid: number;
  /** Exit code, or 128 + signal. */
  status: number;
  /** When it was reaped, since 1970. */
  seconds: number;
  nanoseconds: number;
}

/** What the relay tells; all come on the event loop, in the order in which they happened. */
export interface RelayEvents {
  exit?(exit: ProcessExit): void;
  /** A client sent its first line. Answer with `accept` or `refuse`. */
  connected?(connection: { listener: number; client: number; greeting: string }): void;
  /** After `exited`: log and clients have what the process wrote (2 s at most for slow clients). */
  drained?(channel: number): void;
  /** All outputs of the channel came to their end. */
  closed?(channel: number): void;
  /** `path` became `path.1`, which waits for compression; answer with `compressed`. */
  rotated?(channel: number, path: string): void;
  /** Writing the log began to fail (errno) or works again (0); `lost` counts records not written. */
  logError?(failure: { channel: number; errno: number; lost: number; path: string }): void;
  /** So many bytes were read from a watched descriptor; 0: its end, it is closed. */
  ready?(watch: number, bytes: number): void;
}

/** A json-file log. */
export interface LogOptions {
  path: string;
  /** Bytes at which it is rotated; absent: never. */
  maxSize?: number;
  /** How many files are kept, the live one counted; 1: a new one takes its place when it is full. */
  maxFiles?: number;
  compress?: boolean;
  /** Bytes that are no UTF-8 are kept in the text of a record, as escapes from `\udc80` to `\udcff`; else each is U+FFFD. */
  keepBytes?: boolean;
  /** JSON object that each record carries as `attrs`. */
  attrs?: string;
}

/** The descriptors of a channel; index 0 is stdout, 1 stderr. */
export interface ChannelOptions {
  /** The pty master comes later, by `terminal`. */
  terminal: boolean;
  /** Read ends of the process's output pipes. */
  output?: readonly (number | undefined)[];
  /** FIFOs or pipes that output is copied to; a full one holds the process back. */
  sinks?: readonly (number | undefined)[];
  /** Files that output is appended to. */
  files?: readonly (number | undefined)[];
  log?: LogOptions;
  /** Write end of the process's input pipe. */
  input?: number;
  /** Read end of a FIFO that input comes from. */
  fifo?: number;
  /** Write end of the same FIFO: keeps it from its end until `closeInput`. */
  fifoKeeper?: number;
}
