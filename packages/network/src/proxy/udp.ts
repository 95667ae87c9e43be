import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { ProxyPort } from "./protocol.ts";

/** A flow without a datagram for this long is forgotten, as docker-proxy does. */
const idleMs = 90_000;

interface Flow {
  socket: Socket;
  timer: NodeJS.Timeout;
}

const typeOf = (address: string) => (isIPv6(address) ? "udp6" : "udp4");

/** Listens for one published UDP port; each client address has a socket towards the container. */
export async function proxyUdp(port: ProxyPort): Promise<() => Promise<void>> {
  const flows = new Map<string, Flow>();
  const type = typeOf(port.hostIp);
  const server = createSocket(type === "udp6" ? { type, ipv6Only: true } : { type });

  const end = (key: string) => {
    const flow = flows.get(key);
    if (!flow) return;
    flows.delete(key);
    clearTimeout(flow.timer);
    flow.socket.close();
  };

  const begin = (key: string, address: string, clientPort: number): Flow => {
    const socket = createSocket(typeOf(port.containerIp));
    const flow: Flow = { socket, timer: setTimeout(() => end(key), idleMs) };
    socket.on("message", (message) => {
      flow.timer.refresh();
      server.send(message, clientPort, address);
    });
    // An ICMP error about the container's port shows here; the client learns of it by silence, as with UDP anywhere.
    socket.on("error", () => end(key));
    flows.set(key, flow);
    return flow;
  };

  server.on("message", (message, from) => {
    const key = `${from.address}/${from.port}`;
    const flow = flows.get(key) ?? begin(key, from.address, from.port);
    flow.timer.refresh();
    flow.socket.send(message, port.containerPort, port.containerIp);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.bind({ address: port.hostIp, port: port.hostPort, exclusive: true }, resolve);
  });
  server.on("error", () => undefined);
  return async () => {
    for (const key of flows.keys()) end(key);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
}
