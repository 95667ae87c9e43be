import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { lines, type ProxyAnswer, type ProxyRequest } from "@longshore/proxy-api";
import { Services } from "./services.ts";

/**
 * The userland proxy: one process for all published ports of an engine. It holds the ports on the
 * host, so that nobody else takes them, forwards what address translation does not reach
 * (loopback, IPv6 to a container without), and is the DNS server of containers in user-defined
 * networks. It outlives the engine, and ends when it has neither work nor an engine.
 */
const [path = ""] = process.argv.slice(2);
/** How long it waits for the engine that started it. */
const firstContactMs = 5000;

const services = new Services();
const engines = new Set<Socket>();
let last: Promise<void> = Promise.resolve();

async function serve(socket: Socket, line: string): Promise<void> {
  const { id, ...request } = JSON.parse(line) as ProxyRequest & { id: number };
  let answer: ProxyAnswer;
  try {
    answer = await services.handle(request);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    answer = { error: message, ...(code === undefined ? {} : { code }) };
  }
  socket.write(`${JSON.stringify({ id, ...answer })}\n`);
}

function endIfIdle(): void {
  if (!services.idle || engines.size > 0) return;
  rmSync(path, { force: true });
  process.exit(0);
}

const server = createServer((socket) => {
  engines.add(socket);
  // In order: a port given back and taken again must not cross.
  socket.on(
    "data",
    lines((line) => {
      last = last.then(() => serve(socket, line));
    }),
  );
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    engines.delete(socket);
    endIfIdle();
  });
});

// What fails while nobody waits for it, such as a query, concerns one piece of work, not all.
process.on("unhandledRejection", (error) => void process.stderr.write(`${String(error)}\n`));
// The engine's terminal and its stop are no concern of the containers.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
rmSync(path, { force: true });
const cannotListen = (error: Error): never => {
  throw error;
};
server.once("error", cannotListen);
server.listen(path, () => {
  server.off("error", cannotListen);
  // A connection that cannot be accepted, for want of descriptors or memory, is no end of what is served.
  server.on("error", () => undefined);
  process.stdout.write("ready\n");
  setTimeout(endIfIdle, firstContactMs);
});
