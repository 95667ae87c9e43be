import { addon } from "../addon.ts";
import type { ChannelOptions, RelayEvents } from "./relay-types.ts";

const none = new Uint8Array();

type Notify = (type: number, id: number, a: number, b: number, c: number, text: string) => void;

const native = addon as {
  relayStart(notify: Notify, reap: boolean): void;
  relayStop(): void;
  relayOpen(
    id: number,
    terminal: boolean,
    fds: number[],
    log: string | null,
    maxSize: number,
    maxFiles: number,
    compress: boolean,
    keepBytes: boolean,
    attrs: string,
  ): void;
  relayTerminal(id: number, master: number): void;
  relayExited(id: number): void;
  relayRelease(id: number): void;
  relayCloseInput(id: number): void;
  relayCompressed(id: number): void;
  relayListen(id: number, fd: number, path: string): void;
  relayUnlisten(id: number): void;
  relayAccept(client: number, channel: number, flags: number, reply: string, detachKeys: Uint8Array): void;
  relayRefuse(client: number, reply: string): void;
  relayWatch(id: number, fd: number): void;
  relayUnwatch(id: number): void;
};

/**
 * The process's relay: a native thread that carries the stdio of processes (channels) to logs,
 * FIFOs and attached clients without a byte passing through JavaScript, and reaps children.
 * Ids are the caller's own. Only one relay runs in a process.
 */
export class Relay {
  /** Starts the thread. With `reap`, every child of this process is waited for, orphans included. */
  constructor(events: RelayEvents, options: { reap: boolean }) {
    native.relayStart((type, id, a, b, c, text) => {
      switch (type) {
        case 1:
          return events.exit?.({ pid: id, status: a, seconds: b, nanoseconds: c });
        case 2:
          return events.connected?.({ listener: id, client: a, greeting: text });
        case 3:
          return events.drained?.(id);
        case 4:
          return events.closed?.(id);
        case 5:
          return events.rotated?.(id, text);
        case 6:
          return events.logError?.({ channel: id, errno: a, lost: b, path: text });
        case 7:
          return events.ready?.(id, a);
      }
    }, options.reap);
  }

  /** Opens a channel. Its descriptors are the relay's from now on, also when the log cannot be opened, which throws. */
  open(id: number, options: ChannelOptions): void {
    const { output = [], sinks = [], files = [], log } = options;
    const fds = [
      ...pair(output),
      ...pair(sinks),
      ...pair(files),
      options.input ?? -1,
      options.fifo ?? -1,
      options.fifoKeeper ?? -1,
    ];
    native.relayOpen(
      id,
      options.terminal,
      fds,
      log?.path ?? null,
      log?.maxSize ?? 0,
      log?.maxFiles ?? 1,
      log?.compress ?? false,
      log?.keepBytes ?? false,
      log?.attrs ?? "",
    );
  }

  /** Hands over the pty master of a channel that was opened with `terminal`. */
  terminal(id: number, master: number): void {
    native.relayTerminal(id, master);
  }

  /** The process has ended: takes what is left in its pipes, then posts `drained`. */
  exited(id: number): void {
    native.relayExited(id);
  }

  /** Closes log, FIFOs and clients (what is queued for them is still sent) and forgets the channel. */
  release(id: number): void {
    native.relayRelease(id);
  }

  /** Ends the process's input once all that came before is written. A terminal has no such end. */
  closeInput(id: number): void {
    native.relayCloseInput(id);
  }

  /** A rotated file is compressed now: the log may rotate again. */
  compressed(id: number): void {
    native.relayCompressed(id);
  }

  /** Serves attach on a listening socket; `path` is removed with the listener. */
  listen(id: number, fd: number, path: string): void {
    native.relayListen(id, fd, path);
  }

  unlisten(id: number): void {
    native.relayUnlisten(id);
  }

  /** Attaches a connected client. `closesInput`: the end of its input is the end of the process's; `handsOver`: it will send the descriptor of the real client (SCM_RIGHTS, with one byte), until which nothing flows; `afterLog`: it is given the log first, to the end that the reply is made to tell, then what that lacks of a line that is not finished; a byte, or that descriptor, lets this and the rest flow; `detachKeys`: bytes, at most 64, that end the attachment when they come in the input, and of which who handed a descriptor over is told in a line `{"detached":true}`. */
  accept(
    client: number,
    channel: number,
    streams: {
      stdin: boolean;
      stdout: boolean;
      stderr: boolean;
      closesInput: boolean;
      handsOver?: boolean;
      afterLog?: boolean;
      detachKeys?: Uint8Array;
    },
    reply: string,
  ): void {
    const flags =
      (streams.stdin ? 1 : 0) |
      (streams.stdout ? 2 : 0) |
      (streams.stderr ? 4 : 0) |
      (streams.closesInput ? 8 : 0) |
      (streams.handsOver === true ? 16 : 0) |
      (streams.afterLog === true ? 32 : 0);
    native.relayAccept(client, channel, flags, reply, streams.detachKeys ?? none);
  }

  /** Sends `reply` to a connected client and closes. */
  refuse(client: number, reply: string): void {
    native.relayRefuse(client, reply);
  }

  /** Posts `ready` whenever `fd` (eventfd, inotify) was read; the descriptor is the relay's from now on. */
  watch(id: number, fd: number): void {
    native.relayWatch(id, fd);
  }

  /** Closes a watched descriptor. */
  unwatch(id: number): void {
    native.relayUnwatch(id);
  }

  /** Ends the thread and closes everything it holds. */
  stop(): void {
    native.relayStop();
  }
}

function pair(fds: readonly (number | undefined)[]): [number, number] {
  return [fds[0] ?? -1, fds[1] ?? -1];
}
