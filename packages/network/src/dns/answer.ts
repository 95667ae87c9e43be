import { AUTHENTIC_DATA, decode, encode, type Answer, type Packet, type Question, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from "dns-packet";
import type { Zones } from "./zone.ts";

const ttl = 600;
const rcode = { serverFailure: 2 } as const;
/** What a client takes over UDP unless it says otherwise. */
const plainLimit = 512;

/** A query with its one question; undefined for what is none and gets no answer. */
export function readQuery(message: Buffer): { packet: Packet; question: Question } | undefined {
  try {
    const packet = decode(message);
    const [question, ...more] = packet.questions ?? [];
    return packet.type === "query" && question && more.length === 0 ? { packet, question } : undefined;
  } catch {
    return undefined;
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}

/** What the networks of the asking container say to a question; undefined when they know nothing of it. */
export function localAnswers(zones: Zones, containerId: string, { name, type }: Question): Answer[] | undefined {
  if (type === "A" || type === "AAAA") {
    const addresses = zones.addresses(containerId, name, type === "A" ? 4 : 6);
    return addresses && shuffled(addresses).map((data) => ({ type, name, ttl, data }));
  }
  if (type === "PTR") {
    const data = zones.pointer(containerId, name);
    return data === undefined ? undefined : [{ type, name, ttl, data }];
  }
  // Mail to a container goes to its address: that there is no other exchange is known here.
  if (type === "MX" && (zones.addresses(containerId, name, 4) ?? zones.addresses(containerId, name, 6)) !== undefined) return [];
  return undefined;
}

/** The answer to a query; cut short (so that the client asks again over TCP) when it exceeds what UDP carries. */
export function encodeAnswer({ packet, question }: { packet: Packet; question: Question }, answers: Answer[], overUdp: boolean): Buffer {
  const flags = ((packet.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE;
  const whole = encode({ type: "response", id: packet.id ?? 0, flags, questions: [question], answers });
  const offered = packet.additionals?.find(({ type }) => type === "OPT");
  const limit = Math.max(plainLimit, offered?.type === "OPT" ? offered.udpPayloadSize : plainLimit);
  if (!overUdp || whole.length <= limit) return whole;
  return encode({ type: "response", id: packet.id ?? 0, flags: flags | TRUNCATED_RESPONSE, questions: [question] });
}

/** The answer when nobody could be asked. */
export function encodeFailure({ packet, question }: { packet: Packet; question: Question }): Buffer {
  const flags = ((packet.flags ?? 0) & RECURSION_DESIRED) | rcode.serverFailure;
  return encode({ type: "response", id: packet.id ?? 0, flags: flags & ~AUTHENTIC_DATA, questions: [question] });
}

/** Whether another server may do better: this one failed or refuses to serve. */
export function isRefusal(message: Buffer): boolean {
  const code = (message[3] ?? 0) & 0x0f;
  return code === rcode.serverFailure || code === 5;
}
