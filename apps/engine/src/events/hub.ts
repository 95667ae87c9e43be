import type { EmitEvent, EventMessage } from "@longshore/docker-api";
import { nowNano } from "@longshore/containers";

const keep = 256;
/** Characters of all that are kept: containers may have labels of megabytes. */
const keepCharacters = 16 << 20;

/** An event as it is sent, with the old-fashioned members that containers and images also carry. */
export type SentEvent = Partial<EventMessage> & { status?: string; id?: string; from?: string };

type Listener = (event: SentEvent) => void;

/** Docker's events: the last 256 are kept, unless they are very long, and listeners get all that follow. */
export class EventHub {
  readonly #recent: SentEvent[] = [];
  readonly #lengths: number[] = [];
  #kept = 0;
  /** Events since the start. */
  logged = 0;
  readonly #listeners = new Set<Listener>();

  readonly emit: EmitEvent = (type, action, actor) => {
    const nano = nowNano();
    this.logged++;
    const event: SentEvent = {
      ...legacy(type, action, actor),
      Type: type,
      Action: action,
      Actor: { ID: actor.ID, Attributes: sorted(actor.Attributes) },
      scope: "local",
      time: Number(nano / 1_000_000_000n),
      // JSON has one kind of number; what a double loses here are some hundred nanoseconds.
      timeNano: Number(nano),
    };
    this.#keep(event, lengthOf(actor.Attributes));
    for (const listener of this.#listeners) listener(event);
  };

  #keep(event: SentEvent, length: number): void {
    this.#recent.push(event);
    this.#lengths.push(length);
    this.#kept += length;
    while (this.#recent.length > keep || (this.#kept > keepCharacters && this.#recent.length > 0)) {
      this.#recent.shift();
      this.#kept -= this.#lengths.shift() ?? 0;
    }
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  recent(): readonly SentEvent[] {
    return this.#recent;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function legacy(
  type: EventMessage["Type"],
  action: string,
  actor: EventMessage["Actor"],
): Pick<SentEvent, "status" | "id" | "from"> {
  if (type === "container")
    return {
      status: action,
      id: actor.ID,
      ...(actor.Attributes["image"] === undefined ? {} : { from: actor.Attributes["image"] }),
    };
  return type === "image" ? { status: action, id: actor.ID } : {};
}

function sorted(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lengthOf(attributes: Record<string, string>): number {
  let length = 0;
  for (const [name, value] of Object.entries(attributes)) length += name.length + value.length;
  return length;
}
