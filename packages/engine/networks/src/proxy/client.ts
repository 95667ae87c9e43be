import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { Unavailable } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { kill, peerCredentials } from "@longshore/sys";
import { openShimsUnit } from "@longshore/systemd";
import {
  lines,
  portKey,
  type ProxyAnswer,
  type ProxyRequest,
  type PublishedPort,
  sameTarget,
} from "@longshore/proxy-api";

/** A refused request; `code` is the errno name (`EADDRINUSE`). */
export class ProxyRefused extends Unavailable {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The process went away before it answered. */
class ProxyLost extends Unavailable {}

/** Sends one request. */
export type Ask = (body: ProxyRequest) => Promise<ProxyAnswer>;

interface Waiting {
  resolve: (answer: ProxyAnswer) => void;
  reject: (error: Error) => void;
}

// Small heaps: the process lives long and does little.
const nodeFlags = ["--max-semi-space-size=1", "--max-old-space-size=64", "--no-warnings"];

/** All that it is asked takes milliseconds; one that does not answer for so long hangs. */
const usualPatienceMs = 20_000;
const SIGKILL = 9;
/** So many may be lost in the midst of the same requests: one that is dying may still take the next connection. */
const mostLost = 4;

/** The engine's side of the userland proxy: starts it when the first port is published, and again if it died. */
export class ProxyClient {
  readonly #program: string;
  readonly #path: string;
  readonly #log: Logger;
  readonly #wanted: () => PublishedPort[];
  readonly #onLost: () => Promise<void>;
  readonly #patienceMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #connection: Promise<Socket> | undefined;
  #sequence = 0;
  #closed = false;

  /**
   * @param program of docker-proxy, for Node
   * @param path of its socket (at most 107 bytes)
   * @param wanted what the records say is published
   * @param onLost brings back what a proxy that died had to do
   * @param patienceMs after which one that does not answer is ended, and another does its work
   */
  constructor(
    program: string,
    path: string,
    wanted: () => PublishedPort[],
    onLost: () => Promise<void>,
    log: Logger,
    patienceMs = usualPatienceMs,
  ) {
    this.#program = program;
    this.#path = path;
    this.#wanted = wanted;
    this.#onLost = onLost;
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  #dial(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        socket.on("error", () => undefined);
        socket.on(
          "data",
          lines((line) => this.#settle(JSON.parse(line) as ProxyAnswer & { id: number })),
        );
        socket.once("close", () => this.#lost());
        socket.unref();
        resolve(socket);
      });
    });
  }

  #settle(answer: ProxyAnswer & { id: number }): void {
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  #lost(): void {
    this.#connection = undefined;
    for (const { reject } of this.#waiting.values()) reject(new ProxyLost("the userland proxy has ended"));
    this.#waiting.clear();
    if (this.#closed) return;
    this.#log.warn("the userland proxy has ended");
    this.#onLost().catch((error: unknown) => this.#log.error({ err: error }, "the userland proxy cannot be started"));
  }

  async #start(): Promise<Socket> {
    try {
      return await this.#dial();
    } catch {
      await this.#spawn();
      return this.#dial();
    }
  }

  async #spawn(): Promise<void> {
    const errors = openSync(`${this.#path}.log`, "a", 0o600);
    const child = spawn(process.execPath, [...nodeFlags, this.#program, this.#path], {
      detached: true,
      stdio: ["ignore", "pipe", errors],
      cwd: "/",
      argv0: "docker-proxy",
    });
    closeSync(errors);
    const placed = this.#place(child.pid);
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) =>
        reject(new Unavailable(`the userland proxy did not start (exit code ${code}), see ${this.#path}.log`)),
      );
      child.stdout?.once("data", () => resolve());
    });
    await placed;
    child.removeAllListeners("exit");
    child.stdout?.destroy();
    child.unref();
  }

  /** It outlives the engine, also where systemd ends the engine's whole unit. */
  async #place(pid: number | undefined): Promise<void> {
    if (pid === undefined) return;
    const place = await openShimsUnit((error) =>
      this.#log.warn({ err: error }, "the userland proxy stays in the daemon's unit"),
    );
    place(pid);
  }

  /** Whether there may be a proxy that has something to give back. */
  maybeRunning(): boolean {
    return this.#connection !== undefined || existsSync(this.#path);
  }

  /** Sends one request, to a proxy started for it if need be. @throws ProxyRefused, Unavailable */
  request(body: ProxyRequest): Promise<ProxyAnswer> {
    return this.together((ask) => ask(body));
  }

  /**
   * Sends requests that build on each other. All may come twice: when the proxy is lost meanwhile, what it knew went
   * with it, and they are made again to the next one, from the first on.
   * @throws ProxyRefused, Unavailable
   */
  async together<T>(requests: (ask: Ask) => Promise<T>): Promise<T> {
    for (let left = mostLost; ; left--) {
      try {
        return await requests((body) => this.#request(body));
      } catch (error) {
        if (!(error instanceof ProxyLost) || this.#closed || left === 0) throw error;
      }
    }
  }

  async #request(body: ProxyRequest): Promise<ProxyAnswer> {
    const socket = await (this.#connection ??= this.#start().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    }));
    const id = ++this.#sequence;
    socket.ref();
    const timer = setTimeout(() => this.#end(socket), this.#patienceMs);
    try {
      const answer = await new Promise<ProxyAnswer>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        socket.write(`${JSON.stringify({ id, ...body })}\n`);
      });
      if (answer.error !== undefined) throw new ProxyRefused(answer.error, answer.code ?? "");
      return answer;
    } finally {
      clearTimeout(timer);
      if (this.#waiting.size === 0) socket.unref();
    }
  }

  /** Ends a proxy that hangs; that it is gone is then found as if it had died. */
  #end(socket: Socket): void {
    const handle = Reflect.get(socket, "_handle") as { fd: number } | null;
    if (handle === null) return;
    const { pid } = peerCredentials(handle.fd);
    this.#log.error({ proxy: pid }, "the userland proxy does not answer and is ended");
    kill(pid, SIGKILL);
  }

  /** @throws ProxyRefused when the port cannot be bound */
  async publish(port: PublishedPort): Promise<void> {
    await this.request({ op: "publish", port });
  }

  /** Gives a port back; one that is not published is no error. */
  async unpublish(port: PublishedPort): Promise<void> {
    if (!this.maybeRunning()) return;
    await this.request({ op: "unpublish", port });
  }

  /** Brings the proxy's ports to what is wanted: after a start of the engine, or of the proxy. */
  async reconcile(): Promise<void> {
    const wanted = new Map(this.#wanted().map((port) => [portKey(port), port]));
    if (wanted.size === 0 && !this.maybeRunning()) return;
    const answer = await this.request({ op: "list" });
    const have = new Map((answer.ports ?? []).map((port) => [portKey(port), port]));
    for (const [key, port] of have) if (!wanted.has(key)) await this.unpublish(port);
    for (const [key, port] of wanted) {
      const same = have.get(key);
      if (same !== undefined && sameTarget(same, port)) continue;
      await this.publish(port).catch((error: unknown) =>
        this.#log.error({ err: error, port }, "a published port cannot be bound again"),
      );
    }
  }

  /** Lets go of the process; with ports it lives on. */
  async close(): Promise<void> {
    this.#closed = true;
    const socket = await this.#connection?.catch(() => undefined);
    socket?.destroy();
  }
}
