import type { Question } from "dns-packet";
import type { LocalAnswers } from "./message.ts";
import type { Zones } from "./zone.ts";

/** Clients take the first one: each gets its turn. */
function shuffled<T>(list: readonly T[]): T[] {
  if (list.length < 2) return [...list];
  return list
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}

/** What the networks of the asking container say to a question; undefined when they know nothing of it. */
export function localAnswers(zones: Zones, containerId: string, { name, type }: Question): LocalAnswers | undefined {
  if (type === "A" || type === "AAAA") {
    const addresses = zones.addresses(containerId, name, type === "A" ? 4 : 6);
    return addresses && { type, data: shuffled(addresses) };
  }
  if (type === "PTR") {
    const data = zones.pointer(containerId, name);
    return data === undefined ? undefined : { type, data: [data] };
  }
  // Mail to a container goes to its address: that there is no other exchange is known here.
  if (type === "MX" && (zones.addresses(containerId, name, 4) ?? zones.addresses(containerId, name, 6)) !== undefined)
    return { type: "A", data: [] };
  return undefined;
}

/** With a number of dots set, a name without any is local: the client tries its search domains next. */
export function isLocalOnly({ name, type }: Question, ndotsSet: boolean): boolean {
  return ndotsSet && (type === "A" || type === "AAAA") && !name.includes(".");
}
