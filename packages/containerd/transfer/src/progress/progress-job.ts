import type { Descriptor } from "@longshore/oci";
import type { ProgressSink } from "../contract.ts";
import { refKey } from "../images/documents.ts";

/** Milliseconds between two messages about the same job. */
const intervalMs = 100;

/** Reports on one blob or manifest under way. */
export class ProgressJob {
  readonly #sink: ProgressSink;
  readonly #descriptor: Descriptor;
  readonly #parents: string[];
  readonly #running: string;
  #last = 0;

  /** @param running event while bytes move: `downloading` or `uploading` */
  constructor(sink: ProgressSink, descriptor: Descriptor, parent: string, running: "downloading" | "uploading") {
    this.#sink = sink;
    this.#descriptor = descriptor;
    this.#parents = [parent];
    this.#running = running;
    this.#send("waiting", 0);
  }

  #send(event: string, progress: number): void {
    const { size: total } = this.#descriptor;
    this.#sink({
      event,
      name: refKey(this.#descriptor),
      parents: this.#parents,
      progress,
      total,
      desc: this.#descriptor,
    });
  }

  /** Tells how many bytes are done, not too often. */
  bytes(done: number): void {
    const now = Date.now();
    if (now - this.#last < intervalMs) return;
    this.#last = now;
    this.#send(this.#running, done);
  }

  /** Ends with `complete`, `already exists`, `extracted` and the like. */
  end(event: string): void {
    this.#send(event, this.#descriptor.size);
  }

  extracting(): void {
    this.#send("extracting", 0);
  }
}
