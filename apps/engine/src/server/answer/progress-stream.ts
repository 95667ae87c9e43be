import { httpStatusOf, messageOf } from "@longshore/errdefs";
import type { ProgressLine } from "@longshore/images";
import type { FastifyReply, FastifyRequest } from "fastify";
import { logFailure } from "./log-failure.ts";
import { clientGone } from "../request.ts";
import { BodyStream } from "./stream.ts";
import { progressBar } from "./progress-bar.ts";

/**
 * Docker's JSON progress: one object a line, `\r\n` behind it. The answer begins with the first
 * line; a failure before it is a plain HTTP error, one after it the last line.
 */
export class ProgressStream {
  /** Aborts when the client goes away. */
  readonly gone: AbortSignal;
  readonly #reply: FastifyReply;
  #body: BodyStream | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    this.gone = clientGone(reply);
  }

  /** The headers go out with the first line: what they answer with success has begun, or is done. */
  #begin(): BodyStream {
    return (this.#body ??= new BodyStream(this.#reply, "application/json"));
  }

  readonly output = (line: ProgressLine): void => {
    const { current, total } = line.progressDetail ?? {};
    const bar = current === undefined || total === undefined ? {} : { progress: progressBar(current, total) };
    this.#write(
      Object.keys(bar).length === 0
        ? line
        : { status: line.status, progressDetail: line.progressDetail, ...bar, id: line.id },
    );
  };

  #write(line: object): void {
    const body = this.#begin();
    this.#written = this.#written.then(() => body.write(`${JSON.stringify(line)}\r\n`));
  }

  /**
   * Runs `work` and ends the answer with what becomes of it.
   * @param failure `line` where Docker tells of a failure in a line even when it is the first one
   */
  async run(
    request: FastifyRequest,
    work: () => Promise<unknown>,
    failure: "status" | "line" = "status",
  ): Promise<void> {
    try {
      await work();
      this.#begin();
    } catch (error) {
      if (this.#body === undefined && failure === "status") throw error;
      if (httpStatusOf(error) >= 500) logFailure(request, error);
      const message = messageOf(error);
      this.#write({ errorDetail: { message }, error: message });
    }
    await this.#written;
    this.#body?.end();
  }
}
