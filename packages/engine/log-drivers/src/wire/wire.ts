/** A way to a server that takes whole messages. */
export interface Wire {
  /** Resolves when all have been handed to the kernel. */
  write(frames: readonly Buffer[], signal: AbortSignal): Promise<void>;
  /** @throws when the other end has gone */
  check(): void;
  /** @throws when the other end has gone before it has read all */
  end(): Promise<void>;
  close(): void;
}
