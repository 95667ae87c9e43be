import { request } from "node:http";
import { connectContainerd } from "@longshore/containerd-client/connect";
import type { ContainerdClient } from "@longshore/containerd-client";
import { Channel } from "@longshore/grpc";
import { Attached, unframed } from "./attached.ts";

/** What is read of a container, in Docker's names. */
export interface ContainerDetails {
  Id: string;
  Name: string;
  RestartCount: number;
  LogPath: string;
  State: { Status: string; Running: boolean; Pid: number; ExitCode: number; Error: string };
  NetworkSettings: {
    Networks: Record<string, { IPAddress: string }>;
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
  };
}

/** An answer with a status of 400 or more. */
export class ApiError extends Error {
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what}: ${status}: ${body.trim()}`);
    this.status = status;
  }
}

/** Reads the state of an engine and of its containerd from this process, for checks that would fork a client each. */
export class EngineApi {
  readonly #socket: string;
  readonly #containerdSocket: string;
  #channel: Channel | undefined;

  constructor(sockets: { engine: string; containerd: string }) {
    this.#socket = sockets.engine;
    this.#containerdSocket = sockets.containerd;
  }

  /** containerd's services in the engine's namespace. */
  get containerd(): ContainerdClient {
    this.#channel ??= new Channel(this.#containerdSocket);
    return connectContainerd(this.#channel, "moby");
  }

  /** @throws ApiError; Error when nobody answers */
  async call(method: "GET" | "POST" | "DELETE", path: string, json?: object): Promise<Buffer> {
    const { status, body } = await this.ask(method, path, json);
    if (status >= 400) throw new ApiError(`${method} ${path}`, status, body.toString());
    return body;
  }

  /** Whatever the answer is. @throws Error when nobody answers */
  ask(
    method: "GET" | "POST" | "DELETE" | "PUT",
    path: string,
    json?: object,
  ): Promise<{ status: number; body: Buffer }> {
    return new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      const call = request(
        { socketPath: this.#socket, method, path: `/v1.51${path}`, agent: false, timeout: 30_000 },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", reject);
          response.once("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
        },
      );
      call.once("timeout", () => call.destroy(new Error(`${method} ${path}: no answer within 30 s`)));
      call.once("error", reject);
      if (json !== undefined) call.setHeader("Content-Type", "application/json");
      call.end(json === undefined ? undefined : JSON.stringify(json));
    });
  }

  /** Creates a container. @returns its id */
  async create(config: object, name?: string): Promise<string> {
    const { Id } = JSON.parse(
      (await this.call("POST", `/containers/create${name === undefined ? "" : `?name=${name}`}`, config)).toString(),
    ) as { Id: string };
    return Id;
  }

  /** Attaches to a container. @param query such as `stream=1&stdout=1` */
  attach(container: string, query: string, options: { idle?: boolean } = {}): Promise<Attached> {
    return Attached.post(this.#socket, `/v1.51/containers/${container}/attach?${query}`, options);
  }

  /** Makes an exec and starts it, attached. */
  async exec(container: string, config: { Tty: boolean; Cmd: string[]; [option: string]: unknown }): Promise<Attached> {
    const { Id } = JSON.parse(String(await this.call("POST", `/containers/${container}/exec`, config))) as {
      Id: string;
    };
    return Attached.post(this.#socket, `/v1.51/exec/${Id}/start`, { json: { Tty: config.Tty } });
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse((await this.call("GET", path)).toString()) as T;
  }

  /** Whether the engine has it; `path` as for `get`. */
  async has(path: string): Promise<boolean> {
    try {
      await this.call("GET", path);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  inspect(container: string): Promise<ContainerDetails> {
    return this.get(`/containers/${container}/json`);
  }

  /** What a container without a terminal printed, both streams as they came. @param tail lines, or `all` */
  async logs(container: string, tail: number | "all" = "all"): Promise<string> {
    const bytes = await this.call("GET", `/containers/${container}/logs?stdout=1&stderr=1&tail=${tail}`);
    return unframed(bytes).toString();
  }

  /** The exit code of a container that has ended, or ends now. */
  async wait(container: string): Promise<number> {
    const { StatusCode } = JSON.parse((await this.call("POST", `/containers/${container}/wait`)).toString()) as {
      StatusCode: number;
    };
    return StatusCode;
  }

  /** Whether the engine and its containerd serve. */
  async serves(): Promise<boolean> {
    await this.get("/images/json");
    return true;
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }
}
