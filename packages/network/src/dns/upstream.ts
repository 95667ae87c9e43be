import { createSocket } from "node:dgram";
import { connect, isIPv6, Socket } from "node:net";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { isRefusal } from "./answer.ts";

/** Where questions go that no network of the container answers. */
export interface Upstream {
  servers: readonly string[];
  /** The namespace to ask from; undefined: the host's. */
  netns: string | undefined;
}

const timeoutMs = 4000;
const domainPort = 53;

function askUdp(server: string, netns: string | undefined, query: Buffer): Promise<Buffer> {
  const family = isIPv6(server) ? 6 : 4;
  const socket = createSocket(`udp${family}`);
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${server} does not answer`)), timeoutMs);
    const settle = <T>(end: (value: T) => void) => (value: T) => {
      clearTimeout(timer);
      end(value);
    };
    socket.on("error", settle(reject));
    socket.on("message", (message, from) => {
      // Only what was asked for, from whom it was asked.
      if (from.port === domainPort && message.length >= 12 && message.readUInt16BE(0) === query.readUInt16BE(0)) settle(resolve)(message);
    });
    if (netns === undefined) socket.connect(domainPort, server, () => socket.send(query));
    else {
      socket.bind({ fd: socketInNetns(netns, family === 6 ? AF.INET6 : AF.INET, SOCK.DGRAM, 0, { address: family === 6 ? "::" : "0.0.0.0" }) }, () =>
        socket.send(query, domainPort, server),
      );
    }
  }).finally(() => socket.close());
}

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
  const fd = socketInNetns(netns, isIPv6(server) ? AF.INET6 : AF.INET, SOCK.STREAM, 0, { address: server, port: domainPort, connect: true });
  return new Socket({ fd, readable: true, writable: true });
}

function askTcp(server: string, netns: string | undefined, query: Buffer): Promise<Buffer> {
  const socket = dialTcp(server, netns);
  return new Promise<Buffer>((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => reject(new Error(`${server} does not answer`)));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${server} closes the connection`)));
    socket.on("data", framed(resolve));
    socket.write(frame(query));
  }).finally(() => socket.destroy());
}

/** Asks one server after the other until one has an answer; the last refusal counts when none has. */
export async function ask({ servers, netns }: Upstream, query: Buffer, overUdp: boolean): Promise<Buffer | undefined> {
  let refusal: Buffer | undefined;
  for (const server of servers) {
    try {
      const answer = await (overUdp ? askUdp : askTcp)(server, netns, query);
      if (!isRefusal(answer)) return answer;
      refusal = answer;
    } catch {
      // The next server is what resolvers are listed for; without one the client is told of the failure.
    }
  }
  return refusal;
}
