import { closeSync, constants, fchownSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type ChannelOptions, pipe } from "@longshore/sys";
import { type BinaryLogger, startBinaryLogger } from "./binary-logger.ts";
import type { Shim } from "../shim.ts";
import { type StdioTarget, parseStdio } from "./stdio-uri.ts";

/** The stdio fields of a create or exec request. */
export interface StdioRequest {
  terminal: boolean;
  stdin: string;
  stdout: string;
  stderr: string;
}

/** Whose stdio it is. */
export interface StdioOwner {
  /** Of the container, for binary loggers. */
  id: string;
  namespace: string;
  uid: number;
  gid: number;
}

const pipeSize = 1 << 20;

/** The stdio of one process: what it inherits, and the relay channel behind that. */
export class Stdio {
  readonly channel: number;
  readonly attach: string;
  readonly stdinOnce: boolean;
  readonly terminal: boolean;
  /** Descriptors for the runtime; -1 is /dev/null. Closed by `started`. */
  readonly child: [number, number, number];
  readonly #shim: Shim;
  readonly #logger: BinaryLogger | undefined;
  /** What the relay is given, until it has begun. */
  #waiting: ChannelOptions | undefined;
  #inputEnded = false;

  private constructor(
    shim: Shim,
    terminal: boolean,
    target: StdioTarget,
    child: [number, number, number],
    logger: BinaryLogger | undefined,
    options: ChannelOptions,
  ) {
    this.#shim = shim;
    this.channel = shim.nextId();
    this.#waiting = options;
    this.terminal = terminal;
    this.attach = target.scheme === "longshore" ? target.attach : "";
    this.stdinOnce = target.scheme === "longshore" && target.stdinOnce;
    this.child = child;
    this.#logger = logger;
  }

  /** Opens everything that the request names; when one of it fails, the rest is closed again. Nothing is copied yet. */
  static async open(shim: Shim, request: StdioRequest, owner: StdioOwner): Promise<Stdio> {
    const target = parseStdio(
      request.stdout === "" && !request.terminal ? request.stderr || request.stdin : request.stdout,
    );
    const stdin = parseStdio(request.stdin);
    const opened: number[] = [];
    const keep = (fd: number): number => {
      opened.push(fd);
      return fd;
    };
    try {
      const options: ChannelOptions = { terminal: request.terminal };
      const child: [number, number, number] = [-1, -1, -1];
      if (!request.terminal) openPipes(request, owner, options, child, keep);
      if (stdin.scheme === "fifo") openInput(stdin.path, options, child, keep);
      const wants = [request.stdout !== "", request.stderr !== "" && !request.terminal] as const;
      let logger: BinaryLogger | undefined;
      if (target.scheme === "fifo")
        options.sinks = openSinks([request.stdout, request.terminal ? "" : request.stderr], options, keep);
      else if (target.scheme === "file")
        options.files = wants.map((wanted) => (wanted ? keep(openAppend(target.path)) : undefined));
      else if (target.scheme === "binary") {
        logger = await startBinaryLogger(shim, target, owner);
        options.sinks = logger.sinks.map((fd, i) => (wants[i] === true ? keep(fd) : (closeSync(fd), undefined)));
      } else if (target.scheme === "longshore" && target.log !== undefined) options.log = target.log;
      return new Stdio(shim, request.terminal, target, child, logger, options);
    } catch (error) {
      for (const fd of opened) closeQuietly(fd);
      throw error;
    }
  }

  /** Begins to copy. Before that, a runtime that fails can print what it likes: its error says it all. */
  begin(): void {
    if (this.#waiting === undefined) return;
    const options = this.#waiting;
    // The relay's own from here on, also when it fails.
    this.#waiting = undefined;
    this.#shim.relay.open(this.channel, options);
    if (this.#inputEnded) this.#shim.relay.closeInput(this.channel);
  }

  get begun(): boolean {
    return this.#waiting === undefined;
  }

  /** Nothing more is to be written to the process. */
  closeInput(): void {
    this.#inputEnded = true;
    if (this.begun) this.#shim.relay.closeInput(this.channel);
  }

  /** The runtime has its copies. */
  started(): void {
    for (const [i, fd] of this.child.entries()) {
      if (fd >= 0) closeSync(fd);
      this.child[i] = -1;
    }
  }

  /** Waits, for a while, until all output is copied; then lets go of everything. */
  async close(patience: number): Promise<void> {
    this.started();
    if (this.#waiting === undefined) {
      await this.#shim.closed(this.channel, patience);
      this.#shim.relay.release(this.channel);
    } else {
      await this.#shim.closed(this.channel, 0);
      const { input, fifo, fifoKeeper, output = [], sinks = [], files = [] } = this.#waiting;
      this.#waiting = undefined;
      for (const fd of [input, fifo, fifoKeeper, ...output, ...sinks, ...files]) if (fd !== undefined) closeSync(fd);
    }
    this.#logger?.stop();
  }
}

function openPipes(
  request: StdioRequest,
  owner: StdioOwner,
  options: ChannelOptions,
  child: [number, number, number],
  keep: (fd: number) => number,
): void {
  const own = (ends: [number, number]): [number, number] => {
    for (const fd of ends) {
      keep(fd);
      if (owner.uid !== 0 || owner.gid !== 0) fchownSync(fd, owner.uid, owner.gid);
    }
    return ends;
  };
  if (request.stdin !== "") [child[0], options.input] = own(pipe({ size: pipeSize }));
  const output: (number | undefined)[] = [];
  if (request.stdout !== "") [output[0], child[1]] = own(pipe({ size: pipeSize }));
  if (request.stderr !== "") [output[1], child[2]] = own(pipe({ size: pipeSize }));
  options.output = output;
}

/** A FIFO is read, and kept from its end until CloseIO; a plain file is given to the process itself. */
function openInput(
  path: string,
  options: ChannelOptions,
  child: [number, number, number],
  keep: (fd: number) => number,
): void {
  options.fifo = keep(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  if (statSync(path).isFIFO()) {
    options.fifoKeeper = keep(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } else if (child[0] >= 0) {
    closeSync(child[0]);
    child[0] = options.fifo;
    delete options.fifo;
  }
}

function openSinks(
  paths: readonly string[],
  options: ChannelOptions,
  keep: (fd: number) => number,
): (number | undefined)[] {
  const files: (number | undefined)[] = [];
  const sinks = paths.map((uri, i) => {
    const target = parseStdio(uri);
    if (target.scheme === "null") return undefined;
    const path = "path" in target ? target.path : uri;
    if (statSync(path).isFIFO()) return keep(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    files[i] = keep(openAppend(path));
    return undefined;
  });
  options.files = files;
  return sinks;
}

function openAppend(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o644);
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // the relay has closed it already
  }
}
