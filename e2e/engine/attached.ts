import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection that the engine has given to a stream, as `attach` does. */
export class Attached {
  readonly socket: Socket;
  readonly head: string;
  readonly ended: Promise<void>;
  readonly #chunks: Buffer[] = [];

  private constructor(socket: Socket, head: string, rest: Buffer) {
    this.socket = socket;
    this.head = head;
    this.#chunks.push(rest);
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** @param path of a unix socket; @param target with its version; @param options.idle: nothing is read of what comes behind the head until `read`; @param options.json the body */
  static async post(path: string, target: string, options: { idle?: boolean; json?: object } = {}): Promise<Attached> {
    const socket = connect(path);
    const body = options.json === undefined ? "" : JSON.stringify(options.json);
    socket.write(
      `POST ${target} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    const broken = (): unknown => socket.destroy(new Error(`${target}: the connection ended before its answer`));
    socket.once("end", broken);
    let head = Buffer.alloc(0);
    while (!head.includes("\r\n\r\n")) head = Buffer.concat([head, ...(await once(socket, "data"))]);
    socket.pause().off("end", broken);
    const end = head.indexOf("\r\n\r\n") + 4;
    const attached = new Attached(socket, head.toString("latin1", 0, end), head.subarray(end));
    if (options.idle !== true) attached.read();
    return attached;
  }

  read(): void {
    this.socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.socket.on("error", () => undefined);
    this.socket.resume();
  }

  /** What has come, as it is. */
  get raw(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What has come of all streams of a container without a terminal. */
  get output(): string {
    return unframed(this.raw).toString();
  }
}

/** What stdcopy frames hold: the stream, three zeroes, the length, and so many bytes. */
export function unframed(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts);
}
