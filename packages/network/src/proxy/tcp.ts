import { connect, createServer, type Socket } from "node:net";
import type { ProxyPort } from "./protocol.ts";

function forward(client: Socket, { containerIp, containerPort }: ProxyPort): void {
  const container = connect({ host: containerIp, port: containerPort, allowHalfOpen: true, noDelay: true });
  client.setNoDelay(true);
  // Each side's end is passed on alone (half-close); an error on either side ends both at once.
  client.pipe(container);
  container.pipe(client);
  client.on("error", () => container.resetAndDestroy());
  container.on("error", () => client.resetAndDestroy());
  client.on("close", () => container.destroySoon());
  container.on("close", () => client.destroySoon());
}

/** Listens for one published TCP port. Ends with its returned function, connections included. */
export async function proxyTcp(port: ProxyPort): Promise<() => Promise<void>> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    forward(client, port);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: port.hostIp, port: port.hostPort, exclusive: true, ipv6Only: true, backlog: 1024 }, resolve);
  });
  server.on("error", () => undefined);
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const client of clients) client.destroy();
    await closed;
  };
}
