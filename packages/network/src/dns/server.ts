import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { embeddedDns } from "../files/resolv-conf.ts";
import { encodeAnswer, encodeFailure, localAnswers, readQuery } from "./answer.ts";
import { ask, frame, framed, type Upstream } from "./upstream.ts";
import type { Zones } from "./zone.ts";

/** A container that is served. */
export interface DnsSandbox {
  containerId: string;
  netnsPath: string;
  servers: string[];
  /** The servers are the host's own and are asked from there. */
  onHost: boolean;
}

/** Where the server listens in the container's namespace. */
export interface DnsPorts {
  udp: number;
  tcp: number;
}

/** So many questions of one container wait for other servers at a time; more get no answer. */
const maxWaiting = 1024;

/** The DNS server of one container: its sockets lie in the container's namespace. */
export class DnsServer {
  readonly #zones: Zones;
  readonly #containerId: string;
  readonly #upstream: Upstream;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #clients = new Set<Socket>();
  #waiting = 0;

  private constructor(zones: Zones, { containerId, servers, onHost, netnsPath }: DnsSandbox, udp: UdpSocket, tcp: Server) {
    this.#zones = zones;
    this.#containerId = containerId;
    this.#upstream = { servers, netns: onHost ? undefined : netnsPath };
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on("message", (message, from) => {
      this.#answer(message, true).then((answer) => answer && udp.send(answer, from.port, from.address), () => undefined);
    });
    udp.on("error", () => undefined);
    tcp.on("connection", (client) => this.#serveTcp(client));
  }

  /** Opens the sockets. The loopback device of the namespace must be up. */
  static async open(zones: Zones, sandbox: DnsSandbox): Promise<DnsServer> {
    const at = { address: embeddedDns, port: 0 };
    const udp = createSocket("udp4");
    const tcp = createServer();
    const server = new DnsServer(zones, sandbox, udp, tcp);
    try {
      const datagrams = socketInNetns(sandbox.netnsPath, AF.INET, SOCK.DGRAM, 0, at);
      await new Promise<void>((resolve, reject) => {
        udp.once("error", reject);
        udp.bind({ fd: datagrams }, resolve);
      });
      const streams = socketInNetns(sandbox.netnsPath, AF.INET, SOCK.STREAM, 0, at);
      await new Promise<void>((resolve, reject) => {
        tcp.once("error", reject);
        tcp.listen({ fd: streams }, resolve);
      });
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get ports(): DnsPorts {
    const tcp = this.#tcp.address();
    return { udp: this.#udp.address().port, tcp: tcp !== null && typeof tcp === "object" ? tcp.port : 0 };
  }

  #serveTcp(client: Socket): void {
    this.#clients.add(client);
    client.setTimeout(10_000, () => client.destroy());
    client.on("error", () => client.destroy());
    client.on("close", () => this.#clients.delete(client));
    client.on("data", framed((message) => {
      this.#answer(message, false).then((answer) => answer && client.write(frame(answer)), () => client.destroy());
    }));
  }

  async #answer(message: Buffer, overUdp: boolean): Promise<Buffer | undefined> {
    const query = readQuery(message);
    if (!query) return undefined;
    const answers = localAnswers(this.#zones, this.#containerId, query.question);
    if (answers) return encodeAnswer(query, answers, overUdp);
    if (!this.#zones.mayForward(this.#containerId)) return encodeFailure(query);
    if (this.#waiting >= maxWaiting) return undefined;
    this.#waiting++;
    try {
      return (await ask(this.#upstream, message, overUdp)) ?? encodeFailure(query);
    } finally {
      this.#waiting--;
    }
  }

  /** Lets go of the namespace. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    const quietly = (end: (done: () => void) => void) =>
      new Promise<void>((resolve) => {
        try {
          end(() => resolve());
        } catch {
          resolve();
        }
      });
    await Promise.all([quietly((done) => this.#udp.close(done)), quietly((done) => this.#tcp.close(done))]);
  }
}
