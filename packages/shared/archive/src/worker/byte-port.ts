import type { MessagePort } from "node:worker_threads";
import { fromGrpcCode, grpcCodeOf, messageOf } from "@longshore/errdefs";

/** An error on its way between threads, where classes do not survive. */
export interface WireError {
  code: number;
  message: string;
}

export function toWire(error: unknown): WireError {
  return { code: grpcCodeOf(error), message: messageOf(error) };
}

export function fromWire({ code, message }: WireError): Error {
  return fromGrpcCode(code, message);
}

type FromSender = { data: Uint8Array } | { end: true } | { error: WireError };
type FromReceiver = { credit: number } | { cancel: true };

/** Pieces under way at a time; a sender pauses when the reader is that far behind. */
const window = 8;

/** Sends bytes to the other side of a port at the pace at which they are read there. */
export async function sendBytes(port: MessagePort, source: AsyncIterable<Uint8Array>): Promise<void> {
  const reader = { credit: 0, gone: false };
  let wake: (() => void) | undefined;
  const post = (message: FromSender, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  port.on("message", (message: FromReceiver) => {
    if ("cancel" in message) reader.gone = true;
    else reader.credit += message.credit;
    wake?.();
  });
  const closed = (): void => {
    reader.gone = true;
    wake?.();
  };
  port.once("close", closed);
  try {
    for await (const piece of source) {
      while (reader.credit === 0 && !reader.gone) await new Promise<void>((resolve) => (wake = resolve));
      if (reader.gone) return;
      reader.credit--;
      const owned = ownedBuffer(piece);
      post({ data: owned }, [owned.buffer]);
    }
    post({ end: true });
  } catch (error) {
    post({ error: toWire(error) });
    throw error;
  } finally {
    port.off("close", closed);
    // What was posted still arrives.
    port.close();
  }
}

/** A piece whose memory is its own, so that it can be handed over: a view of a larger one is copied. */
function ownedBuffer(piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = piece;
  return buffer instanceof ArrayBuffer && buffer.byteLength === piece.byteLength
    ? (piece as Uint8Array<ArrayBuffer>)
    : new Uint8Array(piece);
}

/** Reads what the other side of a port sends. Leaving the loop early tells the sender to stop. */
export async function* receiveBytes(port: MessagePort): AsyncGenerator<Buffer> {
  const queue: FromSender[] = [];
  let wake: (() => void) | undefined;
  const post = (message: FromReceiver): void => port.postMessage(message);
  port.on("message", (message: FromSender) => {
    queue.push(message);
    wake?.();
  });
  port.once("close", () => {
    queue.push({ error: toWire(new Error("the other side of a byte stream is gone")) });
    wake?.();
  });
  post({ credit: window });
  try {
    for (;;) {
      const message = queue.shift();
      if (message === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if ("end" in message) return;
      else if ("error" in message) throw fromWire(message.error);
      else {
        post({ credit: 1 });
        yield Buffer.from(message.data.buffer as ArrayBuffer, message.data.byteOffset, message.data.byteLength);
      }
    }
  } finally {
    post({ cancel: true });
    port.close();
  }
}
