import { networkError } from "./network-error.ts";

/** The least that must come or go in a window of time. */
export interface Pace {
  readonly windowMs: number;
  readonly leastBytes: number;
}

/** Some 512 bytes a second: less than any link carries, and an end to a peer that drips. */
export const defaultPace: Pace = { windowMs: 60_000, leastBytes: 30 << 10 };

class Stalled extends Error {
  readonly code = "UND_ERR_BODY_TIMEOUT";

  constructor({ windowMs, leastBytes }: Pace) {
    super(`less than ${leastBytes} bytes in ${windowMs / 1000} seconds: i/o timeout`);
  }
}

/** Counts bytes against the time that was spent waiting for them. */
class PaceMeter {
  readonly #pace: Pace;
  #waited = 0;
  #bytes = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** @param waitedMs for these bytes; the time in which nobody asked does not count @throws Stalled */
  count(waitedMs: number, bytes: number): void {
    this.#waited += waitedMs;
    this.#bytes += bytes;
    if (this.#waited < this.#pace.windowMs) return;
    if (this.#bytes < this.#pace.leastBytes) throw new Stalled(this.#pace);
    this.#waited = 0;
    this.#bytes = 0;
  }
}

/** The pieces of an answer's body, as long as they come at a pace. @throws NetworkError, Canceled */
export async function* paced(
  body: AsyncIterable<Buffer>,
  pace: Pace,
  method: string,
  url: URL,
): AsyncGenerator<Buffer> {
  const meter = new PaceMeter(pace);
  const pieces = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const asked = performance.now();
      const next = await pieces.next();
      if (next.done === true) return;
      meter.count(performance.now() - asked, next.value.length);
      yield next.value;
    }
  } catch (error) {
    throw networkError(method, url, error);
  } finally {
    await pieces.return?.();
  }
}

/** Bytes on their way to a registry; a registry that takes them too slowly is given up. */
export async function* pacedUpload(
  source: AsyncIterable<Uint8Array>,
  pace: Pace,
  giveUp: (error: Error) => void,
): AsyncGenerator<Uint8Array> {
  let left = 0;
  // It asks for nothing while it stalls, so a clock has to look.
  const timer = setInterval(() => {
    if (left > 0 && performance.now() - left >= pace.windowMs) giveUp(new Stalled(pace));
  }, pace.windowMs / 4).unref();
  try {
    const meter = new PaceMeter(pace);
    for await (const piece of source) {
      left = performance.now();
      yield piece;
      meter.count(performance.now() - left, piece.length);
      left = 0;
    }
  } finally {
    clearInterval(timer);
  }
}
