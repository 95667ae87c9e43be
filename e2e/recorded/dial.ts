import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { createInterface } from "node:readline";

// Asks from the network namespace that it is started in. Each line of its input is a JSON list of
// `tcp:ADDRESS:PORT`, `udp:ADDRESS:PORT` and `ping:ADDRESS`, all asked at once; its answer is a line
// with the list of what became of them.

/** The program that is in the tests' image, too. */
const busybox = "busybox";

/** What loses its first packet is asked again by the kernel after a second. */
const patience = 1_300;

function tcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = "";
    socket.setTimeout(patience, () => {
      socket.destroy();
      resolve("no answer");
    });
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.once("end", () => resolve(answer === "" ? "closed" : answer));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === "ECONNREFUSED"
          ? "refused"
          : error.code === "ECONNRESET"
            ? "closed"
            : (error.code ?? error.message),
      ),
    );
  });
}

function udp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const end = (answer: string): void => {
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end("no answer"), patience);
    const fail = (error: NodeJS.ErrnoException): void =>
      end(error.code === "ECONNREFUSED" ? "refused" : (error.code ?? error.message));
    const send = (): void => socket.send("?", (error) => error && fail(error));
    let again: NodeJS.Timeout | undefined;
    socket.once("error", fail);
    socket.once("message", (message) => end(message.toString()));
    socket.connect(port, host, (error?: Error) => {
      if (error) return fail(error);
      again = setInterval(send, 500);
      send();
    });
  });
}

function ping(host: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(busybox, [isIPv6(host) ? "ping6" : "ping", "-c", "1", "-W", "1", host], { stdio: "ignore" });
    child.once("close", (code) => resolve(code === 0 ? "pong" : "no answer"));
  });
}

function ask(target: string): Promise<string> {
  const [, kind = "", host = "", port = ""] =
    /^(tcp|udp|ping):(.*?)(?::(\d+))?$/.exec(target.replace(/[[\]]/g, "")) ?? [];
  if (kind === "ping") return ping(target.slice("ping:".length));
  return kind === "tcp" ? tcp(host, Number(port)) : udp(host, Number(port));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await Promise.all((JSON.parse(line) as string[]).map(ask)))}\n`);
}
