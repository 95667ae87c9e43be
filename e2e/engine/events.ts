import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Longshore } from "./longshore.ts";

/** One event, as far as tests look at it. */
export interface SeenEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
}

/** The stream of an engine's events, followed from this process. */
export class EventStream {
  readonly seen: SeenEvent[] = [];
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    let rest = "";
    response.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.seen.push(JSON.parse(line) as SeenEvent);
    });
    response.on("error", () => undefined);
  }

  static async open(longshore: Pick<Longshore, "host">, filters: Record<string, string[]>): Promise<EventStream> {
    const call = request({
      socketPath: longshore.host.replace("unix://", ""),
      path: `/v1.51/events?filters=${encodeURIComponent(JSON.stringify(filters))}`,
      agent: false,
    });
    call.end();
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return new EventStream(response);
  }

  close(): void {
    this.#response.destroy();
  }
}
