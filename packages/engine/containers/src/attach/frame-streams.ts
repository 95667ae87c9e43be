import { Transform, type TransformCallback } from "node:stream";
import { Demultiplexer, frame, stdoutStream } from "./stdcopy.ts";

/** Puts frames around what a terminal says, all of which is stdout, for a client that expects them. */
export class Framer extends Transform {
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, frame(stdoutStream, chunk));
  }
}

/** Takes the frames off, for a client that expects a terminal: there is but one stream, which is stdout. */
export class Unframer extends Transform {
  readonly #frames = new Demultiplexer();

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#frames.push(chunk, (stream, payload) => {
      if (stream === stdoutStream) this.push(payload);
    });
    done();
  }
}
