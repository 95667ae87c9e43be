import { InvalidArgument } from "@longshore/errdefs";
import { DataSchema, WindowUpdateSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import type { Any } from "@bufbuild/protobuf/wkt";
import { packAny, unpackAny } from "@longshore/proto";

/** A connection of its own for the bytes of a stream, where both sides share a machine. */
export interface ByteChannel {
  /** What the other side sends; leaving the loop breaks the connection. @throws Canceled when it broke */
  read(): AsyncIterable<Uint8Array>;
  /** Waits when the other side reads slower. @throws Canceled when the connection broke */
  write(data: Uint8Array): Promise<void>;
  /** Says that all has been sent. @throws Canceled when the connection broke before all was taken */
  end(): Promise<void>;
  close(): void;
}

/** Messages both ways over containerd's Streaming service. */
export interface AnyStream {
  /** Carries the bytes in place of messages when both sides have agreed on it. */
  readonly channel?: Promise<ByteChannel> | undefined;
  /** Resolves when the message has been taken by the connection. @throws Canceled when the other side is gone */
  send(message: Any): Promise<void>;
  /** The next message; undefined once the other side has ended. @throws Canceled when it is gone */
  receive(): Promise<Any | undefined>;
  /** Ends our side, and the call with it. */
  close(): void;
}

/** The largest piece that is sent in one message, in bytes. */
const pieceBytes = 32 << 10;
/** How much the sender may have under way; containerd grants 64 KiB, which lets a fast connection wait. */
const windowBytes = 1 << 20;

/** Reads the bytes that the other side sends; it may send only as much as we grant. */
export async function* receiveBytes(stream: AnyStream): AsyncGenerator<Uint8Array> {
  if (stream.channel !== undefined) return yield* receiveOver(await stream.channel, stream);
  let window = 0;
  for (;;) {
    if (window < windowBytes / 2) {
      const update = windowBytes - window;
      await stream.send(packAny(WindowUpdateSchema, { update }));
      window += update;
    }
    const message = await stream.receive();
    if (message === undefined) return;
    const data = unpackAny(message, DataSchema);
    if (data === undefined)
      throw new InvalidArgument(`stream type ${message.typeUrl} is not supported in a byte stream`);
    window -= data.data.length;
    if (data.data.length > 0) yield data.data;
  }
}

/** Sends bytes, never more than the other side has granted. */
export async function sendBytes(stream: AnyStream, content: AsyncIterable<Uint8Array>): Promise<void> {
  if (stream.channel !== undefined) return sendOver(await stream.channel, content);
  let window = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      while (window <= 0) window += await grant(stream);
      const size = Math.min(pieceBytes, window, chunk.length - at);
      await stream.send(packAny(DataSchema, { data: chunk.subarray(at, at + size) }));
      window -= size;
      at += size;
    }
  }
}

async function grant(stream: AnyStream): Promise<number> {
  const message = await stream.receive();
  const update = message === undefined ? undefined : unpackAny(message, WindowUpdateSchema);
  if (update === undefined) throw new InvalidArgument("the stream ended while there was still something to send");
  return update.update;
}

async function* receiveOver(channel: ByteChannel, stream: AnyStream): AsyncGenerator<Uint8Array> {
  yield* channel.read();
  // A sender that died has ended its connection, too: only the call tells that all was sent.
  const message = await stream.receive();
  if (message !== undefined)
    throw new InvalidArgument(`stream type ${message.typeUrl} is not supported in a byte stream`);
}

async function sendOver(channel: ByteChannel, content: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of content) await channel.write(chunk);
    await channel.end();
  } catch (error) {
    channel.close();
    throw error;
  }
}
