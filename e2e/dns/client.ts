import { createSocket } from "node:dgram";
import { Socket } from "node:net";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { decode, type DecodedPacket, encode, type RecordType } from "dns-packet";
import { framed } from "./upstream.ts";

/** Where containers of user-defined networks ask. */
const server = "127.0.0.11";

interface AskOptions {
  /** The size that the query offers with EDNS(0). */
  udpPayloadSize?: number;
  timeoutMs?: number;
}

let lastId = 0;

function query(name: string, type: RecordType, { udpPayloadSize }: AskOptions): Buffer {
  lastId = (lastId + 1) % 65_536;
  const opt = {
    type: "OPT" as const,
    name: ".",
    udpPayloadSize: udpPayloadSize ?? 0,
    flags: 0,
    options: [],
    extendedRcode: 0,
    ednsVersion: 0,
    flag_do: false,
  };
  return encode({
    type: "query",
    id: lastId,
    flags: 0x100,
    questions: [{ type, name }],
    additionals: udpPayloadSize === undefined ? [] : [opt],
  });
}

/** A client that keeps its socket, and so its port, for all its questions. */
export class KeptSocket implements Disposable {
  readonly #socket = createSocket("udp4");
  readonly #waiting = new Map<number, (answer: DecodedPacket) => void>();

  /** @param pid whose network namespace it asks from */
  static async open(pid: number): Promise<KeptSocket> {
    const kept = new KeptSocket();
    kept.#socket.on("message", (answer) => kept.#waiting.get(answer.readUInt16BE(0))?.(decode(answer)));
    const fd = socketInNetns(`/proc/${pid}/ns/net`, AF.INET, SOCK.DGRAM, 0, { address: "0.0.0.0" });
    await new Promise<void>((resolve) => kept.#socket.bind({ fd }, resolve));
    return kept;
  }

  /** @throws when nothing comes in time */
  async ask(name: string, type: RecordType = "A", options: AskOptions = {}): Promise<DecodedPacket> {
    const message = query(name, type, options);
    const id = message.readUInt16BE(0);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<DecodedPacket>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${name}: no answer`)), options.timeoutMs ?? 15_000);
        this.#waiting.set(id, resolve);
        this.#socket.send(message, 53, server);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Asks the embedded DNS server over UDP, from the network namespace of a process. @throws when nothing comes in time */
export async function askUdp(
  pid: number,
  name: string,
  type: RecordType = "A",
  options: AskOptions = {},
): Promise<DecodedPacket> {
  using socket = await KeptSocket.open(pid);
  return await socket.ask(name, type, options);
}

/** Asks over TCP. @throws when the server closes the connection without an answer */
export async function askTcp(
  pid: number,
  name: string,
  type: RecordType = "A",
  options: AskOptions = {},
): Promise<DecodedPacket> {
  const socket = new Socket({
    fd: socketInNetns(`/proc/${pid}/ns/net`, AF.INET, SOCK.STREAM, 0, { address: server, port: 53, connect: true }),
  });
  socket.setTimeout(options.timeoutMs ?? 15_000, () => socket.destroy(new Error(`${name}: no answer`)));
  try {
    socket.write(framed(query(name, type, options)));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) return decode(received.subarray(2));
    }
    throw new Error(`${name}: closed without an answer`);
  } finally {
    socket.destroy();
  }
}

/** An answer in one line: its code, flags that count, and what the records say in order of the text. */
export function say(answer: DecodedPacket): string {
  const { flag_tc, flag_aa, flag_ra, answers = [] } = answer;
  const data = answers.map(
    (record) =>
      `${record.type} ${record.name} ${"ttl" in record ? record.ttl : ""} ${"data" in record ? JSON.stringify(record.data).replaceAll('"', "") : ""}`,
  );
  const flags = [flag_aa ? "aa" : "", flag_ra ? "ra" : "", flag_tc ? "tc" : ""].filter(Boolean).join(" ");
  return `${(answer as { rcode?: string }).rcode} [${flags}] ${data.toSorted().join("; ")}`.trim();
}

/** The addresses of an answer, sorted. */
export function addresses({ answers = [] }: DecodedPacket): string[] {
  return answers.flatMap((record) => (record.type === "A" || record.type === "AAAA" ? record.data : [])).toSorted();
}
