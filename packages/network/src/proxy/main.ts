import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { lines, portKey, type ProxyAnswer, type ProxyPort, type ProxyRequest } from "./protocol.ts";
import { proxyTcp } from "./tcp.ts";
import { proxyUdp } from "./udp.ts";

/**
 * The userland proxy: one process for all published ports of an engine. It holds the ports on the
 * host, so that nobody else takes them, and forwards what address translation does not reach
 * (loopback, IPv6 to a container without). It outlives the engine, and ends when it has neither
 * ports nor an engine.
 */
const [path = ""] = process.argv.slice(2);
const lingerMs = 3000;

interface Open {
  port: ProxyPort;
  close: () => Promise<void>;
}

const open = new Map<string, Open>();
const engines = new Set<Socket>();
let last: Promise<void> = Promise.resolve();

async function answer(request: ProxyRequest): Promise<Omit<ProxyAnswer, "id">> {
  if (request.op === "list") return { ports: [...open.values()].map(({ port }) => port) };
  const key = portKey(request.port);
  const known = open.get(key);
  if (request.op === "unpublish" || known) {
    open.delete(key);
    await known?.close();
  }
  if (request.op === "publish") {
    const close = await (request.port.proto === "tcp" ? proxyTcp : proxyUdp)(request.port);
    open.set(key, { port: request.port, close });
  }
  return {};
}

async function serve(socket: Socket, line: string): Promise<void> {
  const request = JSON.parse(line) as ProxyRequest;
  let reply: Omit<ProxyAnswer, "id">;
  try {
    reply = await answer(request);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    reply = { error: message, ...(code === undefined ? {} : { code }) };
  }
  socket.write(`${JSON.stringify({ id: request.id, ...reply })}\n`);
}

function endIfIdle(): void {
  if (open.size > 0 || engines.size > 0) return;
  rmSync(path, { force: true });
  process.exit(0);
}

const server = createServer((socket) => {
  engines.add(socket);
  socket.setEncoding("utf8");
  socket.on("data", lines((line) => {
    // In order: a port given back and taken again must not cross.
    last = last.then(() => serve(socket, line));
  }) as (chunk: string | Buffer) => void);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    engines.delete(socket);
    setTimeout(endIfIdle, lingerMs);
  });
});

// The engine's terminal and its stop are no concern of the ports.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
rmSync(path, { force: true });
server.listen(path, () => {
  process.stdout.write("ready\n");
  setTimeout(endIfIdle, lingerMs);
});
