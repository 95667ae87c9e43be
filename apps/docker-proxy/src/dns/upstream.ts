import { createSocket } from "node:dgram";
import { connect, isIPv6, Socket } from "node:net";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { answers, isRefusal } from "./message.ts";

/** Where questions go that no network of the container answers. */
export interface Upstream {
  servers: readonly string[];
  /** The namespace to ask from; undefined: the host's. */
  netns: string | undefined;
  /** How long each server has, in milliseconds. */
  timeoutMs: number;
}

const domainPort = 53;
/** As many as resolv.conf(5) has at most. */
const maxServers = 3;

type Ask = (server: string, query: Buffer, upstream: Upstream) => Promise<Buffer>;

const askUdp: Ask = (server, query, { netns, timeoutMs }) => {
  const family = isIPv6(server) ? 6 : 4;
  const socket = createSocket(`udp${family}`);
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${server} does not answer`)), timeoutMs);
    const settle =
      <T>(end: (value: T) => void) =>
      (value: T) => {
        clearTimeout(timer);
        end(value);
      };
    socket.on("error", settle(reject));
    // Connected, so that nobody else's datagrams come in, and refusals do.
    socket.on("message", (message) => {
      try {
        if (answers(query, message)) settle(resolve)(message);
      } catch (error) {
        settle(reject)(error);
      }
    });
    const dial = () => socket.connect(domainPort, server, () => socket.send(query));
    if (netns === undefined) dial();
    else socket.bind({ fd: socketInNetns(netns, family === 6 ? AF.INET6 : AF.INET, SOCK.DGRAM) }, dial);
  }).finally(() => socket.close());
};

/** Cuts messages with their two bytes of length out of a stream. */
export function framed(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      take(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  };
}

/** A message with its length before it. */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function dialTcp(server: string, netns: string | undefined): Socket {
  if (netns === undefined) return connect({ host: server, port: domainPort });
  // It must not block, or a server that is silent would stop all DNS; what is written goes out once it is connected.
  const fd = socketInNetns(netns, isIPv6(server) ? AF.INET6 : AF.INET, SOCK.STREAM | SOCK.NONBLOCK, 0, {
    address: server,
    port: domainPort,
    connect: true,
  });
  return new Socket({ fd, readable: true, writable: true });
}

const askTcp: Ask = async (server, query, { netns, timeoutMs }) => {
  const socket = dialTcp(server, netns);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${server} does not answer`)), timeoutMs);
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`${server} closes the connection`)));
      socket.on(
        "data",
        framed((message) => {
          try {
            if (answers(query, message)) resolve(message);
            else reject(new Error(`${server} answers something else`));
          } catch (error) {
            reject(error as Error);
          }
        }),
      );
      socket.write(frame(query));
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
};

/** Asks one server after the other until one has an answer; undefined when none has. */
export async function ask(upstream: Upstream, query: Buffer, overUdp: boolean): Promise<Buffer | undefined> {
  for (const server of upstream.servers.slice(0, maxServers)) {
    try {
      const answer = await (overUdp ? askUdp : askTcp)(server, query, upstream);
      if (!isRefusal(answer)) return answer;
    } catch {
      // The next server is what resolvers are listed for; without one the client is told of the failure.
    }
  }
  return undefined;
}
