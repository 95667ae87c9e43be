import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { type Answer, decode, type DecodedPacket, encode, type Packet } from "dns-packet";

/** What a scripted server does with a query; nothing: it keeps silent; `close`: over TCP it closes the connection. */
export type Script = (
  query: DecodedPacket,
  overTcp: boolean,
) => Buffer | undefined | "close" | Promise<Buffer | undefined | "close">;

/** An answer to a query, with an rcode (NOERROR is 0). */
export function reply(query: DecodedPacket, answers: Answer[], rcode = 0, more: Partial<Packet> = {}): Buffer {
  return encode({
    type: "response",
    id: query.id ?? 0,
    flags: 0x180 | rcode,
    questions: query.questions ?? [],
    answers,
    ...more,
  });
}

/** A message with its length before it, as over TCP. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** A DNS server that answers as a script says, at an address of its own in a network namespace, UDP and TCP. */
export class Upstream {
  /** What was asked, as `TYPE name`, over TCP with `tcp` before it. */
  readonly asked: string[] = [];
  script: Script;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #clients = new Set<Socket>();

  private constructor(script: Script) {
    this.script = script;
    this.#udp = createSocket("udp4");
    this.#tcp = createServer((client) => this.#serve(client));
  }

  /** @param netns path of the namespace, such as /proc/PID/ns/net; @param tcp without it connections are refused */
  static async listen(netns: string, address: string, script: Script, tcp = true): Promise<Upstream> {
    const upstream = new Upstream(script);
    const at = { address, port: 53 };
    upstream.#udp.on("message", (message, from) => {
      upstream.#answer(message, false).then(
        (answer) => answer instanceof Buffer && upstream.#udp.send(answer, from.port, from.address),
        () => undefined,
      );
    });
    await new Promise<void>((resolve) =>
      upstream.#udp.bind({ fd: socketInNetns(netns, AF.INET, SOCK.DGRAM, 0, at) }, resolve),
    );
    if (tcp)
      await new Promise<void>((resolve) =>
        upstream.#tcp.listen({ fd: socketInNetns(netns, AF.INET, SOCK.STREAM, 0, at) }, resolve),
      );
    return upstream;
  }

  #answer(message: Buffer, overTcp: boolean): Promise<Buffer | undefined | "close"> {
    const query = decode(message);
    this.asked.push(...(query.questions ?? []).map(({ type, name }) => `${overTcp ? "tcp " : ""}${type} ${name}`));
    return Promise.resolve(this.script(query, overTcp));
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.on("close", () => this.#clients.delete(client));
    client.on("error", () => client.destroy());
    client.once("data", (message: Buffer) => {
      this.#answer(message.subarray(2), true).then(
        (answer) => (answer instanceof Buffer ? client.write(framed(answer)) : answer && client.destroy()),
        () => client.destroy(),
      );
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    if (this.#tcp.listening) await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }
}
