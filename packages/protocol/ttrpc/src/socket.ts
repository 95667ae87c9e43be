/** A connected stream socket, as a connection sees it. */
export interface StreamSocket {
  /** Whether the kernel took all; if not, `drained` is called when it has. After the end nothing is written. */
  write(bytes: Uint8Array): boolean;
  /** Ends it at once; `closed` is still called. */
  destroy(): void;
  /** Lets the process end although it is open. */
  unref(): void;
  readonly destroyed: boolean;
}

/** Who is told of what happens on a socket. */
export interface SocketEvents {
  received(chunk: Buffer): void;
  drained(): void;
  /** Once, whoever ended it. */
  closed(error?: Error): void;
}

/** A socket that accepts connections. */
export interface Listener {
  /** Stops accepting and lets the address go; resolves when that has happened. */
  close(): Promise<void>;
}

/** A unix socket's path, or a descriptor that listens already. */
export type Address = { path: string } | { fd: number };
