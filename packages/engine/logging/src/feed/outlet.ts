import type { PlacedLine } from "./cursor.ts";
import type { FeedState, Position } from "./position.ts";

/** An open way for a container's lines: into a plugin's FIFO, or to a log server. */
export interface Outlet {
  /** Hands lines on, in order. Resolves when there is room for more; rejects when nobody takes them, or `signal` aborts. */
  send(lines: readonly PlacedLine[], signal: AbortSignal): Promise<void>;
  /** The position behind what need not be sent again, when that has moved. @throws when nobody takes lines any more */
  sure(): Position | undefined;
  /** Nothing more comes: what waits for lines that belong to it is sent without them. */
  flush?(signal: AbortSignal): Promise<void>;
  /** Whether something that was sent has not been taken. */
  readonly waiting: boolean;
  /** The engine stops: what is taken in this moment is waited for. @returns the position behind what was taken */
  leave(): Promise<Position | undefined>;
  /** The container has ended, and all was sent: whoever takes it is told. @returns the position behind what was taken */
  end(): Promise<Position | undefined>;
  /** Gives up what was opened; may follow any of the others. */
  close(): Promise<void>;
}

/** Where outlets come from. */
export interface Outlets {
  /** The driver's name. */
  readonly driver: string;
  /**
   * Before a feed begins: what an earlier one left behind is told that nothing more comes.
   * @returns what is to be kept of it
   */
  begin(state: FeedState): Promise<FeedState>;
  /** @param save keeps what a later feed must know, before anybody else hears of it */
  open(state: FeedState, save: (state: FeedState) => Promise<void>, signal: AbortSignal): Promise<Outlet>;
  /** The container goes: nothing is left behind. */
  discard(state: FeedState): Promise<void>;
}
