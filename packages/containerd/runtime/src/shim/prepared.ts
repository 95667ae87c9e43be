import { statSync } from "node:fs";
import { basename } from "node:path";
import { DeadlineExceeded, Unknown } from "@longshore/errdefs";
import type { Child } from "@longshore/sys";
import { type ShimCommand, type ShimOutput, environment, runShim, startProcess } from "./command.ts";
import type { RuntimeConfig } from "../contract.ts";

/** The one shim that knows `prepare`; all others are started as runtime v2 says. */
const preparable = "containerd-shim-longshore-v2";
/** How long after a start the next shim is made ready: the processor is the starting container's first. */
const refillMs = 150;
/** Who starts no container for so long does not pay for a shim that waits. */
const keepMs = 60_000;
/** Room in the command line, in which a shim names its task once it has one. */
const padding = "-".repeat(320);

/** A shim that waits for its task. */
interface Waiting {
  child: Child;
  binary: string;
  /** Which file the binary was: an upgrade may have replaced it meanwhile. */
  file: string;
  stderr: Buffer[];
}

/**
 * Keeps one shim ready while containers are being started, and gives it the next task: a line on
 * its stdin. That saves two starts of a process. It ends with its stdin, thus with containerd.
 */
export class PreparedShims {
  readonly #config: RuntimeConfig;
  #waiting: Waiting | undefined;
  #refill: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(config: RuntimeConfig) {
    this.#config = config;
  }

  /**
   * Does what the shim's `start` does, by a waiting shim where there can be one.
   * @throws as `runShim` does
   */
  async start(command: ShimCommand): Promise<ShimOutput> {
    const { binary } = command;
    if (basename(binary) !== preparable) return runShim(command, this.#config);
    const waiting = this.#take(binary);
    this.#refillSoon(binary);
    return assign(waiting ?? this.#prepare(binary), command);
  }

  #take(binary: string): Waiting | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    this.#waiting = undefined;
    const { child } = waiting;
    if (
      waiting.binary === binary &&
      waiting.file === identity(binary) &&
      child.exitCode === null &&
      child.signalCode === null
    )
      return waiting;
    child.stdin.destroy();
    return undefined;
  }

  #prepare(binary: string): Waiting {
    const { address, containerdBinary, debug } = this.#config;
    // Its just-in-time compiler costs the shim a quarter of its memory.
    const env = { ...environment("", this.#config), BUN_JSC_useJIT: "0" };
    const args = [
      "-address",
      address,
      "-publish-binary",
      containerdBinary,
      ...(debug ? ["-debug"] : []),
      "prepare",
      padding,
    ];
    const child = startProcess(binary, args, { cwd: "/", env, detached: true });
    this.#config.place?.(child.pid);
    const stderr: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // Whoever assigns it a task learns of its end; nobody else minds.
    child.stdin.on("error", () => undefined);
    child.unref();
    return { child, binary, file: identity(binary), stderr };
  }

  #refillSoon(binary: string): void {
    clearTimeout(this.#refill);
    clearTimeout(this.#expiry);
    this.#refill = setTimeout(() => this.#refillNow(binary), refillMs).unref();
    this.#expiry = setTimeout(() => this.#dismiss(), keepMs).unref();
  }

  #refillNow(binary: string): void {
    if (this.#closed) return;
    try {
      this.#waiting ??= this.#prepare(binary);
    } catch {
      // A binary that is being replaced, or no process to be had: the next task tries itself, and its client is told.
    }
  }

  #dismiss(): void {
    this.#waiting?.child.stdin.destroy();
    this.#waiting = undefined;
  }

  /** Lets the waiting shim go. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#refill);
    clearTimeout(this.#expiry);
    this.#dismiss();
  }
}

function identity(binary: string): string {
  const { dev, ino, mtimeMs } = statSync(binary);
  return `${dev}:${ino}:${mtimeMs}`;
}

/** Gives a waiting shim its task and returns what it prints until it lets go of its stdout. */
function assign({ child, binary, stderr }: Waiting, { bundle, stdin, timeoutMs }: ShimCommand): Promise<ShimOutput> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new DeadlineExceeded(`${binary} prepare: context deadline exceeded`));
    }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    const finish = (): void => {
      clearTimeout(timer);
      child.stdin.destroy();
      child.stderr.destroy();
      const said = Buffer.concat(stderr).toString("utf8");
      if (stdout.length > 0) return resolve({ stdout: Buffer.concat(stdout), stderr: said });
      reject(
        new Unknown(
          `${said.trim()}: ${child.signalCode === null ? `exit status ${child.exitCode}` : `signal: ${child.signalCode}`}`,
        ),
      );
    };
    child.stdout.once("end", () => {
      // Without an answer it is about to end, and its status tells why.
      if (stdout.length > 0 || child.exitCode !== null || child.signalCode !== null) return finish();
      child.once("exit", finish);
    });
    child.stdin.write(
      `${JSON.stringify({ namespace: bundle.namespace, id: bundle.id, bundle: bundle.path, input: Buffer.from(stdin ?? []).toString("base64") })}\n`,
    );
  });
}
