import { createHash } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type DnsPorts, type DnsSandbox, embeddedDns } from "@longshore/proxy-api";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { isLocalOnly, localAnswers } from "./answer.ts";
import { encodeAnswer, encodeFailure, rcode, readQuery } from "./message.ts";
import { ask, frame, framed, type Upstream } from "./upstream.ts";
import type { Zones } from "./zone.ts";

/** So many questions of one container wait for other servers at a time; more are refused. */
const maxWaiting = 1024;
const defaultTimeoutMs = 4000;

async function bindUdp(udp: UdpSocket, netns: string, port: number): Promise<void> {
  const fd = socketInNetns(netns, AF.INET, SOCK.DGRAM, 0, { address: embeddedDns, port });
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind({ fd }, resolve);
  });
}

async function listenTcp(tcp: Server, netns: string, port: number): Promise<void> {
  const fd = socketInNetns(netns, AF.INET, SOCK.STREAM, 0, { address: embeddedDns, port });
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen({ fd }, resolve);
  });
}

/** Linux' range of ports for sockets that want any. */
const [firstPort, portCount] = [32_768, 28_232];

/**
 * Opens at the container's own port, else at any. A client that keeps its socket is led to the same port for
 * as long as it asks, so a server that comes after one that died must be there.
 */
async function atOwnPort(containerId: string, open: (port: number) => Promise<void>): Promise<void> {
  try {
    await open(firstPort + (createHash("sha256").update(containerId).digest().readUInt32BE() % portCount));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await open(0);
  }
}

/** The DNS server of one container: its sockets lie in the container's namespace. */
export class DnsServer {
  readonly #zones: Zones;
  readonly #containerId: string;
  readonly #ndotsSet: boolean;
  readonly #upstream: Upstream;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #clients = new Set<Socket>();
  #waiting = 0;

  private constructor(
    zones: Zones,
    { containerId, servers, onHost, netnsPath, ndotsSet = false, timeoutMs = defaultTimeoutMs }: DnsSandbox,
    udp: UdpSocket,
    tcp: Server,
  ) {
    this.#zones = zones;
    this.#containerId = containerId;
    this.#ndotsSet = ndotsSet;
    this.#upstream = { servers, netns: onHost ? undefined : netnsPath, timeoutMs };
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on("message", (message, from) => {
      this.#answer(message, true).then(
        (answer) => answer && udp.send(answer, from.port, from.address),
        () => undefined,
      );
    });
    udp.on("error", () => undefined);
    tcp.on("error", () => undefined);
    tcp.on("connection", (client) => this.#serveTcp(client));
  }

  /** Opens the sockets. The loopback device of the namespace must be up. */
  static async open(zones: Zones, sandbox: DnsSandbox): Promise<DnsServer> {
    const udp = createSocket("udp4");
    const tcp = createServer();
    const server = new DnsServer(zones, sandbox, udp, tcp);
    try {
      await atOwnPort(sandbox.containerId, (port) => bindUdp(udp, sandbox.netnsPath, port));
      await atOwnPort(sandbox.containerId, (port) => listenTcp(tcp, sandbox.netnsPath, port));
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
    client.on(
      "data",
      framed((message) => {
        this.#answer(message, false).then(
          (answer) => answer && client.write(frame(answer)),
          () => client.destroy(),
        );
      }),
    );
  }

  async #answer(message: Buffer, overUdp: boolean): Promise<Buffer | undefined> {
    const query = readQuery(message);
    if (!query || Buffer.isBuffer(query)) return query;
    const answers = localAnswers(this.#zones, this.#containerId, query.question);
    if (answers) return encodeAnswer(query, answers, overUdp);
    if (isLocalOnly(query.question, this.#ndotsSet)) return encodeAnswer(query, { type: "A", data: [] }, overUdp);
    // From an internal network the host's servers are out of reach; others may lie in that network.
    if (this.#upstream.netns === undefined && !this.#zones.mayForward(this.#containerId))
      return encodeFailure(query, rcode.serverFailure);
    if (this.#waiting >= maxWaiting) return encodeFailure(query, rcode.refused);
    this.#waiting++;
    try {
      return (await ask(this.#upstream, message, overUdp)) ?? encodeFailure(query, rcode.serverFailure);
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
