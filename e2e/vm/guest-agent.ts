import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Result } from "../host/exec.ts";

interface ExecStatus {
  exited: boolean;
  exitcode?: number;
  signal?: number;
  "out-data"?: string;
  "err-data"?: string;
}

const text = (base64 = ""): string => Buffer.from(base64, "base64").toString();

/** Runs commands inside a machine by QEMU's guest agent: lines of JSON over a serial port, which leads to a unix socket here. */
export class GuestAgent {
  readonly #path: string;
  #socket: Socket | undefined;
  #answers: ((line: string) => void)[] = [];
  #rest = "";

  /** @param path of the socket that the port leads to */
  constructor(path: string) {
    this.#path = path;
  }

  async #connect(): Promise<Socket> {
    if (this.#socket) return this.#socket;
    const socket = connect(this.#path);
    await once(socket, "connect");
    socket.on("data", (chunk: Buffer) => this.#read(chunk.toString("latin1")));
    socket.on("error", () => undefined);
    return (this.#socket = socket);
  }

  /** An answer after 0xFF is that to `sync`: what came before belonged to somebody else. */
  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== "") this.#answers.shift()?.(line);
  }

  #ask(request: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#socket!.write(request);
    });
  }

  async #call<T>(execute: string, args?: object): Promise<T> {
    await this.#connect();
    const answer = JSON.parse(await this.#ask(Buffer.from(`${JSON.stringify({ execute, arguments: args })}\n`))) as {
      return?: T;
      error?: { desc: string };
    };
    if (answer.error) throw new Error(`${execute}: ${answer.error.desc}`);
    return answer.return!;
  }

  /**
   * Waits until the agent of a machine that starts (again) answers. What was asked before it was there waits in the port: only
   * the answer to the last question says that nothing else is to come.
   * @throws Error after so long
   */
  async ready(timeoutMs: number): Promise<void> {
    this.close();
    await this.#connect();
    const deadline = Date.now() + timeoutMs;
    const asked = { last: randomInt(1 << 30), times: 0, answered: false };
    const look = (line: string): void => {
      asked.answered = line.includes(`"return": ${asked.last}}`);
    };
    while (Date.now() < deadline && !asked.answered) {
      const sync = JSON.stringify({ execute: "guest-sync-delimited", arguments: { id: ++asked.last } });
      this.#answers = Array.from({ length: ++asked.times }, () => look);
      this.#socket!.write(Buffer.from(`\xff${sync}\n`, "latin1"));
      for (let waited = 0; waited < 3000 && !asked.answered; waited += 50) await sleep(50);
    }
    this.#answers = [];
    if (!asked.answered) throw new Error(`the machine's agent does not answer within ${timeoutMs} ms`);
  }

  /** Runs a program with these arguments to its end. */
  async exec(argv: readonly string[], options: { input?: string; timeoutMs?: number } = {}): Promise<Result> {
    const [path, ...arg] = argv as [string, ...string[]];
    const { pid } = await this.#call<{ pid: number }>("guest-exec", {
      path,
      arg,
      "capture-output": true,
      ...(options.input === undefined ? {} : { "input-data": Buffer.from(options.input).toString("base64") }),
    });
    const deadline = Date.now() + (options.timeoutMs ?? 300_000);
    for (let pause = 20; ; pause = Math.min(pause * 1.5, 1000)) {
      const status = await this.#call<ExecStatus>("guest-exec-status", { pid });
      if (status.exited) {
        const code = status.exitcode ?? 128 + (status.signal ?? 0);
        return { code, stdout: text(status["out-data"]), stderr: text(status["err-data"]) };
      }
      if (Date.now() > deadline) throw new Error(`${argv.join(" ")}: has not ended in time`);
      await sleep(pause);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#answers = [];
    this.#rest = "";
  }
}
