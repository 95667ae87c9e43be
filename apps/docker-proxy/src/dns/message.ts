import { type DecodedPacket, decode, type Question } from "dns-packet";
import ipaddr from "ipaddr.js";

/** Bits of the second word of a message (RFC 1035, section 4.1.1). */
const flag = {
  response: 0x8000,
  opcode: 0x7800,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;
const opcode = { query: 0, notify: 4 } as const;
const headerSize = 12;
/** What a client takes over UDP unless it says otherwise, and what a message can have at all. */
const [plainLimit, messageLimit] = [512, 65_535];

export const rcode = { success: 0, formatError: 1, serverFailure: 2, notImplemented: 4, refused: 5 } as const;

/** A query that can be looked up. */
export interface Query {
  message: Buffer;
  question: Question;
  /** Where its question ends in the message. */
  end: number;
  /** Bytes that an answer over UDP may have. */
  udpLimit: number;
}

/** What an answer says: records of one type, all of the name that was asked. */
export interface LocalAnswers {
  type: "A" | "AAAA" | "PTR";
  /** Addresses, or names for PTR. */
  data: string[];
}

const typeNumbers = { A: 1, AAAA: 28, PTR: 12 } as const;
const ttlSeconds = 600;
/** Points to the name of the question. */
const sameName = 0xc000 | headerSize;

function header(query: Buffer, flags: number, counts: { questions: number; answers: number }): Buffer {
  const result = Buffer.alloc(headerSize);
  query.copy(result, 0, 0, 2);
  result.writeUInt16BE(flags, 2);
  result.writeUInt16BE(counts.questions, 4);
  result.writeUInt16BE(counts.answers, 6);
  return result;
}

/** What a response repeats of its query. */
function repeated(message: Buffer): number {
  const flags = message.readUInt16BE(2);
  const kept = (flags & flag.opcode) === opcode.query ? flag.recursionDesired | flag.checkingDisabled : 0;
  return flag.response | (flags & (flag.opcode | kept));
}

/** Names in questions are never compressed. */
function questionEnd(message: Buffer): number | undefined {
  let at = headerSize;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined;
    at += 1 + length;
    if (length === 0) return at + 4 <= message.length ? at + 4 : undefined;
  }
}

function tryDecode(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

/** @returns the query; or the refusal of a message that is none; nothing for what gets no answer */
export function readQuery(message: Buffer): Query | Buffer | undefined {
  if (message.length <= headerSize && (message.length < headerSize || message.readUInt16BE(4) > 0)) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & flag.response) !== 0) return undefined;
  const refuse = (code: number) =>
    header(message, flag.response | (flags & (flag.opcode | flag.recursionDesired)) | code, {
      questions: 0,
      answers: 0,
    });
  const operation = (flags & flag.opcode) >> 11;
  if (operation !== opcode.query && operation !== opcode.notify) return refuse(rcode.notImplemented);
  const packet = message.readUInt16BE(4) === 1 ? tryDecode(message) : undefined;
  const [question] = packet?.questions ?? [];
  const end = questionEnd(message);
  if (!packet || !question || end === undefined) return refuse(rcode.formatError);
  const offered = packet.additionals?.find(({ type }) => type === "OPT");
  return {
    message,
    question,
    end,
    udpLimit: Math.max(plainLimit, offered?.type === "OPT" ? offered.udpPayloadSize : plainLimit),
  };
}

function encodeName(name: string): Buffer {
  const labels = name
    .split(".")
    .filter((label) => label !== "")
    .map((label) => Buffer.from(label));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

function encodeRecord(type: LocalAnswers["type"], data: string): Buffer {
  const value = type === "PTR" ? encodeName(data) : Buffer.from(ipaddr.parse(data).toByteArray());
  const record = Buffer.alloc(12);
  record.writeUInt16BE(sameName, 0);
  record.writeUInt16BE(typeNumbers[type], 2);
  // Class IN
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(ttlSeconds, 6);
  record.writeUInt16BE(value.length, 10);
  return Buffer.concat([record, value]);
}

/** The answer to a query: what UDP does not carry is left out, and the client told so that it asks again over TCP. */
export function encodeAnswer(
  { message, end, udpLimit }: Query,
  { type, data }: LocalAnswers,
  overUdp: boolean,
): Buffer {
  const records: Buffer[] = [];
  let room = (overUdp ? udpLimit : messageLimit) - end;
  for (const record of data.map((each) => encodeRecord(type, each))) {
    room -= record.length;
    if (room < 0) break;
    records.push(record);
  }
  const flags = repeated(message) | flag.recursionAvailable | (records.length < data.length ? flag.truncated : 0);
  return Buffer.concat([
    header(message, flags, { questions: 1, answers: records.length }),
    message.subarray(headerSize, end),
    ...records,
  ]);
}

/** The answer when there is none: a server failure, or too much to do. */
export function encodeFailure({ message, end }: Query, code: number): Buffer {
  return Buffer.concat([
    header(message, repeated(message) | code, { questions: 1, answers: 0 }),
    message.subarray(headerSize, end),
  ]);
}

/** Whether a message answers the query. @throws for what is no message at all */
export function answers(query: Buffer, message: Buffer): boolean {
  decode(message);
  return message.readUInt16BE(0) === query.readUInt16BE(0);
}

/** Whether another server may do better: this one failed or refuses to serve. */
export function isRefusal(message: Buffer): boolean {
  const code = (message[3] ?? 0) & 0x0f;
  return code === rcode.serverFailure || code === rcode.refused;
}
