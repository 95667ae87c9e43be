import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AF, SOCK, socketInNetns } from "@longshore/sys";

const dial = fileURLToPath(new URL("dial.ts", import.meta.url));

const plain = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "");

/** Things that listen in network namespaces and say who they are and who asks; and those who ask. */
export class Traffic {
  readonly #closing: (() => void)[] = [];
  readonly #diallers = new Map<string, (targets: readonly string[]) => Promise<string[]>>();

  /** Answers on TCP and UDP ports 80 and 81 of both families in a namespace, until `close`. */
  async serve(name: string, netns: string): Promise<void> {
    for (const [domain, address] of [
      [AF.INET, "0.0.0.0"],
      [AF.INET6, "::"],
    ] as const) {
      for (const port of [80, 81]) {
        const server = createServer((socket) =>
          socket.on("error", () => undefined).end(`${name} answers ${plain(socket.remoteAddress)}`),
        );
        const listening = Promise.withResolvers<void>();
        server.listen({ fd: socketInNetns(netns, domain, SOCK.STREAM, 0, { address, port }) }, listening.resolve);
        server.once("error", listening.reject);
        await listening.promise;
        this.#closing.push(() => server.close());
        const datagrams = createSocket(domain === AF.INET ? "udp4" : "udp6");
        datagrams.on("message", (_, from) =>
          datagrams.send(`${name} answers ${plain(from.address)}`, from.port, from.address),
        );
        const bound = Promise.withResolvers<void>();
        datagrams.bind({ fd: socketInNetns(netns, domain, SOCK.DGRAM, 0, { address, port }) }, bound.resolve);
        datagrams.once("error", bound.reject);
        await bound.promise;
        this.#closing.push(() => datagrams.close());
      }
    }
  }

  /** What each of `from` gets from each of `targets` (see dial.ts): a table, a line for each target. */
  async reach(from: readonly { name: string; netns: string }[], targets: readonly string[]): Promise<string> {
    const columns = await Promise.all(from.map(({ netns }) => this.#dialler(netns)(targets)));
    const lines = targets.flatMap((target, row) => [
      target,
      ...columns.map((column, i) => `    ${from[i]?.name}: ${column[row]}`),
    ]);
    return `${lines.join("\n")}\n`;
  }

  /** One in each namespace, kept for the next time. */
  #dialler(netns: string): (targets: readonly string[]) => Promise<string[]> {
    const known = this.#diallers.get(netns);
    if (known) return known;
    const child = spawn("nsenter", [`--net=${netns}`, process.execPath, dial], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    this.#closing.push(() => child.kill("SIGKILL"));
    const ask = async (targets: readonly string[]): Promise<string[]> => {
      const answer = once(lines, "line");
      child.stdin.write(`${JSON.stringify(targets)}\n`);
      const [line] = await answer;
      return JSON.parse(String(line)) as string[];
    };
    this.#diallers.set(netns, ask);
    return ask;
  }

  close(): void {
    for (const close of this.#closing.splice(0)) close();
    this.#diallers.clear();
  }
}
