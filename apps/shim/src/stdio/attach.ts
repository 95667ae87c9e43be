import { rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { InvalidArgument, NotFound, grpcCodeOf, messageOf } from "@longshore/errdefs";
import { unixListen } from "@longshore/sys";
import type { Process } from "../task/process.ts";
import type { Shim } from "../shim.ts";

interface Greeting {
  process: string;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** The client will send the descriptor that is to be served in its place. */
  handover: boolean;
  /** The client is given the log first. */
  log: boolean;
  /** Bytes of the input that end the attachment; none when empty. */
  detachKeys: Uint8Array;
}

/** As many as the relay searches for. */
const mostDetachKeys = 64;

/** Serves attach for the processes of one container on its sockets; the bytes go by the relay. */
export class AttachServer {
  readonly #shim: Shim;
  readonly #find: (id: string) => Process | undefined;
  readonly #listeners = new Map<string, number>();

  constructor(shim: Shim, find: (id: string) => Process | undefined) {
    this.#shim = shim;
    this.#find = find;
  }

  /** Listens on `path` unless it does already; what a dead shim left there is replaced. */
  listen(path: string): void {
    if (path === "" || this.#listeners.has(path)) return;
    rmSync(path, { force: true });
    const fd = unixListen(dirname(path), basename(path));
    const id = this.#shim.nextId();
    this.#listeners.set(path, id);
    this.#shim.listen(id, fd, path, (client, greeting) => this.#connected(client, greeting));
  }

  close(): void {
    for (const id of this.#listeners.values()) this.#shim.unlisten(id);
    this.#listeners.clear();
  }

  #connected(client: number, text: string): void {
    const { relay } = this.#shim;
    try {
      const greeting = parseGreeting(text);
      const process = this.#find(greeting.process);
      if (process === undefined) throw new NotFound(`process ${JSON.stringify(greeting.process)} not found`);
      const { channel, terminal, stdinOnce } = process.stdio;
      relay.accept(
        client,
        channel,
        {
          ...greeting,
          closesInput: stdinOnce || greeting.process !== "",
          handsOver: greeting.handover,
          afterLog: greeting.log,
        },
        `${JSON.stringify({ terminal, ...(greeting.handover ? { handover: true } : {}), ...(greeting.detachKeys.length > 0 ? { detachKeys: true } : {}) })}\n`,
      );
    } catch (error) {
      relay.refuse(client, `${JSON.stringify({ error: messageOf(error), code: grpcCodeOf(error) })}\n`);
    }
  }
}

function parseGreeting(text: string): Greeting {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidArgument("the first line must be JSON", { cause });
  }
  if (typeof value !== "object" || value === null) throw new InvalidArgument("the first line must be a JSON object");
  const {
    process = "",
    stdin = false,
    stdout = false,
    stderr = false,
    handover = false,
    log = false,
    detachKeys = [],
  } = value as Partial<Record<keyof Greeting, unknown>>;
  if (typeof process !== "string") throw new InvalidArgument("process must be a string");
  return {
    process,
    stdin: stdin === true,
    stdout: stdout === true,
    stderr: stderr === true,
    handover: handover === true,
    log: log === true,
    detachKeys: parseKeys(detachKeys),
  };
}

function parseKeys(value: unknown): Uint8Array {
  const isByte = (key: unknown): boolean => typeof key === "number" && Number.isInteger(key) && key >= 0 && key <= 255;
  if (!Array.isArray(value) || value.length > mostDetachKeys || !value.every(isByte))
    throw new InvalidArgument(`detachKeys must be at most ${mostDetachKeys} bytes`);
  return Uint8Array.from(value as number[]);
}
