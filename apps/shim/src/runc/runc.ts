import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Unknown, messageOf } from "@longshore/errdefs";
import { span } from "@longshore/telemetry";
import type { Children } from "../task/children.ts";
import type { RuntimeOptions } from "../task/options.ts";
import { lastError } from "./runc-log.ts";
import { removeBundleFile } from "../task/bundle.ts";
import { plainEnvironment } from "../self.ts";
import { retryTransient } from "../task/retry.ts";

/** The runtime said no. The message is its own; `detail` is that alone, without what failed. */
export class RuntimeError extends Unknown {
  readonly detail: string;
  /** The runtime's exit status; undefined when it could not be started. */
  readonly status: number | undefined;

  constructor(what: string, detail: string, status?: number, cause?: unknown) {
    super(`${what}: ${detail}`, { cause });
    this.detail = detail;
    this.status = status;
  }
}

let sequence = 0;

/** Calls of an OCI runtime's command line for the containers of one bundle. */
export class Runc {
  readonly #children: Children;
  readonly #options: RuntimeOptions;
  readonly #bundle: string;
  readonly #root: string;

  constructor(children: Children, options: RuntimeOptions, bundle: string, namespace: string) {
    this.#children = children;
    this.#options = options;
    this.#bundle = bundle;
    this.#root = join(options.root, namespace);
    mkdirSync(this.#root, { recursive: true, mode: 0o711 });
  }

  /**
   * Runs `runc ARGS…` and returns what it printed. `stdio` are the descriptors that the container
   * inherits; without them output is caught. `what` begins the error's message.
   */
  run(what: string, args: readonly string[], stdio?: readonly [number, number, number]): Promise<string> {
    return span(`runc ${args[0]}`, () => this.#run(what, args, stdio));
  }

  async #run(what: string, args: readonly string[], stdio?: readonly [number, number, number]): Promise<string> {
    const logPath = join(this.#bundle, `log-${sequence++}.json`);
    const output = stdio === undefined ? openScratch(this.#bundle) : -1;
    const argv = [this.#options.binary, "--root", this.#root, "--log", logPath, "--log-format", "json"];
    if (this.#options.systemdCgroup) argv.push("--systemd-cgroup");
    argv.push(...args);
    try {
      const { exit } = this.#start(what, argv, stdio ?? [-1, output, output], logPath);
      const { status } = await exit;
      const printed = output < 0 ? "" : await retryTransient(() => readScratch(output));
      if (status === 0) return printed;
      throw new RuntimeError(
        what,
        lastError(logPath) ?? (printed.trim() || unretrieved(logPath, `exit status ${status}`)),
        status,
      );
    } finally {
      if (output >= 0) closeSync(output);
      removeBundleFile(this.#bundle, basename(logPath));
    }
  }

  #start(what: string, argv: string[], fds: readonly number[], logPath: string): ReturnType<Children["spawn"]> {
    const [binary] = argv as [string];
    try {
      return this.#children.spawn(binary, { argv, fds, cwd: this.#bundle, env: environmentOf(binary), setpgid: true });
    } catch (error) {
      const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
      const reason = !absent
        ? messageOf(error)
        : binary.includes("/")
          ? `fork/exec ${binary}: no such file or directory`
          : `exec: "${binary}": executable file not found in $PATH`;
      throw new RuntimeError(what, unretrieved(logPath, reason), undefined, error);
    }
  }
}

/**
 * runc lives for some milliseconds: without garbage collection and with one scheduler it needs a
 * quarter less time. Other runtimes may leave a server behind that lives as long as the container.
 */
function environmentOf(binary: string): Record<string, string | undefined> {
  if (basename(binary) !== "runc") return plainEnvironment();
  return { ...plainEnvironment(), GOMAXPROCS: "1", GOGC: "off", GOMEMLIMIT: "64MiB" };
}

function unretrieved(logPath: string, reason: string): string {
  return `unable to retrieve OCI runtime error (open ${logPath}: no such file or directory): ${reason}`;
}

/** A file without a name: catching output there needs no reader while the program runs. */
function openScratch(directory: string): number {
  const path = join(directory, `output-${sequence++}`);
  const fd = openSync(path, "wx+", 0o600);
  rmSync(path);
  return fd;
}

function readScratch(fd: number): string {
  const data = Buffer.alloc(fstatSync(fd).size);
  return data.toString("utf8", 0, readSync(fd, data, 0, data.length, 0));
}
