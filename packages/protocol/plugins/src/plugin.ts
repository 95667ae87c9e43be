import type { IncomingMessage } from "node:http";
import { DeadlineExceeded, isKind, Unavailable, Unknown } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import type { PluginAddress } from "./address.ts";
import { post } from "./post.ts";
import { withRetries } from "./retry.ts";

/** Longest answer that is read as one JSON text. */
const maxAnswerBytes = 64 << 20;
const defaultTimeoutMs = 60_000;

export interface CallOptions {
  /** For each try, in milliseconds; 60,000 unless given. */
  timeoutMs?: number;
  /** False: a plugin that is not there is an error at once, and not after some 15 seconds of waiting for it. */
  retry?: boolean;
  /** True: one that nobody has announced yet is waited for as well: it has been there before. */
  wait?: boolean;
  signal?: AbortSignal | undefined;
}

/** What a plugin answered with another status than 200. */
export class PluginRefused extends Unknown {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

function refusal(method: string, { statusCode = 0 }: IncomingMessage, text: string): PluginRefused {
  let message = text.trim();
  try {
    const { Err } = parsePlain(text) as { Err?: unknown };
    if (typeof Err === "string" && Err !== "") message = Err;
  } catch {
    // Some answer in plain text.
  }
  return new PluginRefused(`${method}: ${message}`, statusCode);
}

/** A plugin that has told what it implements. */
export class Plugin {
  readonly name: string;
  /** Kinds, such as `VolumeDriver`. */
  readonly kinds: readonly string[];
  readonly #find: () => Promise<PluginAddress>;
  #address: PluginAddress | undefined;
  #moved = false;

  /** @param find looks its address up: a plugin that was restarted may have another one */
  constructor(name: string, kinds: readonly string[], find: () => Promise<PluginAddress>) {
    this.name = name;
    this.kinds = kinds;
    this.#find = find;
  }

  /** Asks the plugin at its address what it implements. @throws Unavailable, DeadlineExceeded, Unknown */
  static async activate(name: string, find: () => Promise<PluginAddress>, options: CallOptions = {}): Promise<Plugin> {
    const { Implements } = await new Plugin(name, [], find).call<{ Implements?: string[] | null }>(
      "Plugin.Activate",
      undefined,
      options,
    );
    return new Plugin(name, Implements ?? [], find);
  }

  async #post(
    method: string,
    body: unknown,
    { timeoutMs = defaultTimeoutMs, signal }: CallOptions,
  ): Promise<IncomingMessage> {
    this.#address = await this.#where();
    try {
      return await post(this.#address, method, body, { timeoutMs, signal });
    } catch (error) {
      this.#moved = true;
      throw error;
    }
  }

  /** The address of before, unless it failed and there is another one by now. */
  async #where(): Promise<PluginAddress> {
    if (this.#address === undefined) return this.#find();
    if (!this.#moved) return this.#address;
    this.#moved = false;
    return this.#find().catch(() => this.#address as PluginAddress);
  }

  /**
   * Calls a method with a JSON body and gives the answer's body, whole.
   * @throws Unavailable when it cannot be reached, DeadlineExceeded, Unknown `METHOD: …` for a status other than 200
   */
  async call<T>(method: string, body?: unknown, options: CallOptions = {}): Promise<T> {
    return withRetries(
      async () => {
        const answer = await this.#post(method, body, options);
        const text = await readAnswer(answer, method, options.timeoutMs ?? defaultTimeoutMs);
        if (answer.statusCode !== 200) throw refusal(method, answer, text);
        try {
          return parsePlain(text === "" ? "{}" : text) as T;
        } catch (error) {
          throw new Unknown(`${method}: the plugin ${this.name} answered what is no JSON`, { cause: error });
        }
      },
      (error) =>
        options.retry !== false &&
        (isKind(error, "Unavailable") || (options.wait === true && isKind(error, "NotFound"))),
      options.signal,
    );
  }

  /** As `call`, for methods that answer with a stream, which is given unread. */
  async stream(method: string, body: unknown, options: CallOptions = {}): Promise<IncomingMessage> {
    const answer = await this.#post(method, body, options);
    if (answer.statusCode === 200) return answer;
    throw refusal(method, answer, await readAnswer(answer, method, defaultTimeoutMs));
  }
}

async function readAnswer(answer: IncomingMessage, method: string, timeoutMs: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    answer.destroy();
  }, timeoutMs);
  try {
    for await (const chunk of answer) {
      size += (chunk as Buffer).length;
      if (size > maxAnswerBytes) throw new Unknown(`${method}: the answer is longer than ${maxAnswerBytes} bytes`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (isKind(error, "Unknown") && size > maxAnswerBytes) throw error;
    throw expired
      ? new DeadlineExceeded(`${method}: context deadline exceeded`, { cause: error })
      : new Unavailable(`${method}: unexpected EOF`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
