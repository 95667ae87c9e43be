import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";

const dir = "/run/docker/plugins";

/** What a method answers: a value that goes out as JSON, or `undefined` when it has answered by itself. */
export type Method = (body: Record<string, unknown>, response: ServerResponse) => unknown;

/** A real plugin of one kind on a socket where engines look for plugins. */
export class TestPlugin {
  /** Of its own for each test process. */
  readonly name: string;
  /** What it was asked: methods with their bodies. */
  readonly calls: { method: string; body: Record<string, unknown> }[] = [];
  readonly methods: Record<string, Method>;
  readonly #kinds: readonly string[];
  #server: Server | undefined;

  constructor(name: string, kinds: readonly string[], methods: Record<string, Method>) {
    this.name = `e2e-${name}-${process.pid}`;
    this.#kinds = kinds;
    this.methods = methods;
  }

  get socket(): string {
    return join(dir, `${this.name}.sock`);
  }

  /** The bodies that a method was called with. */
  asked(method: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map(({ body }) => body);
  }

  async start(): Promise<void> {
    mkdirSync(dir, { recursive: true });
    rmSync(this.socket, { force: true });
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.once("end", () => void this.#answer(request.url ?? "", Buffer.concat(chunks).toString("utf8"), response));
    });
    this.#server.listen(this.socket);
    await once(this.#server, "listening");
  }

  async #answer(path: string, text: string, response: ServerResponse): Promise<void> {
    const method = path.slice(1);
    if (method === "Plugin.Activate") return void response.end(JSON.stringify({ Implements: this.#kinds }));
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    this.calls.push({ method, body });
    try {
      const answer = await (this.methods[method] ?? (() => ({ Err: "" })))(body, response);
      if (answer !== undefined) response.end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(500).end(JSON.stringify({ Err: error instanceof Error ? error.message : String(error) }));
    }
  }

  /** Answers a method in another way while `work` runs. */
  async during(methods: Record<string, Method>, work: () => Promise<unknown>): Promise<void> {
    const before = { ...this.methods };
    Object.assign(this.methods, methods);
    try {
      await work();
    } finally {
      for (const method of Object.keys(methods)) delete this.methods[method];
      Object.assign(this.methods, before);
    }
  }

  /** As if it had been killed: nobody listens any more. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close().closeAllConnections();
    await once(server, "close");
    rmSync(this.socket, { force: true });
  }
}
