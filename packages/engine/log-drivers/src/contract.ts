import type { LogInfo, LogMessage } from "@longshore/logging";

/** A container's log options, as they were given. */
export type LogOptions = Readonly<Record<string, string>>;

/** What a driver is told about a container. */
export interface DriverContext {
  info: LogInfo;
  options: LogOptions;
  /** The option `tag`, expanded; by default the short id. */
  tag: string;
  /** The labels and variables that the options name. */
  attributes: Readonly<Record<string, string>>;
  hostname: string;
}

/** An open connection to a log server. */
export interface LogTarget {
  /** Sends messages in order. Resolves when they have left; rejects when the server does not take them. */
  send(messages: readonly LogMessage[], signal: AbortSignal): Promise<void>;
  /** Whether the server has said that it has them when `send` resolves. Else they are there when the connection still stands a moment later. */
  readonly confirms: boolean;
  /** How many of the last messages wait for others that belong to them. */
  readonly held?: number;
  /** Sends those. */
  flush?(signal: AbortSignal): Promise<void>;
  /** @throws when the server has gone */
  check(): void;
  /** Nothing more comes: waits until the server has read all. @throws when it has gone before */
  end(): Promise<void>;
  /** Gives the connection up. */
  close(): void;
}

/** A log driver of Docker's that sends lines somewhere. */
export interface LogDriver {
  /** What else than the common options it takes. */
  readonly options: readonly string[];
  /** Judges options when a container is made. @throws InvalidArgument with Docker's messages */
  validate(options: LogOptions): void;
  /** Whether a container starts though nobody can be reached. */
  startsWithout?(options: LogOptions): boolean;
  /** Connects. @throws with Docker's messages when that cannot be: a container does not start then */
  open(context: DriverContext, signal: AbortSignal): Promise<LogTarget>;
}
