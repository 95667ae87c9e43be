import { mkdirSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pty from "node-pty";
import { type ExecOptions, type Result, exec, must } from "../host/exec.ts";
import { removeCgroupParents } from "../host/state.ts";
import { until } from "../host/until.ts";
import { Daemon } from "./daemon.ts";
import { shimPath, stockConfig } from "../stock/containerd.ts";
import { repository, tool } from "./tools.ts";

/** It collects garbage only when asked: by itself it would do so between any two commands, and take what the second one is about. */
const collectsWhenAsked = `[plugins."io.containerd.gc.v1.scheduler"]
  deletion_threshold = 0
  mutation_threshold = 1000000
`;

/** What a command printed in a terminal, with line ends as in a file, and its exit code. */
interface TerminalResult {
  code: number;
  output: string;
}

/**
 * A containerd of the test's own, the stock one or ours, and the stock ctr on it. `io.containerd.runc.v2`
 * is the stock shim on the stock one, ours on ours; `io.containerd.longshore.v2` is ours on both.
 */
export class Containerd {
  readonly dir: string;
  readonly namespace: string;
  readonly address: string;
  readonly daemon: Daemon;

  /** @param dir short, since unix socket paths are limited; @param namespace of no one else: runc's state is the host's */
  constructor(kind: "ours" | "stock", dir: string, namespace: string) {
    this.dir = dir;
    this.namespace = namespace;
    this.address = join(dir, "containerd.sock");
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "config.toml"), kind === "stock" ? stockConfig + collectsWhenAsked : "version = 3\n");
    this.daemon = new Daemon({
      name: `containerd (${kind})`,
      command: kind === "stock" ? tool("containerd") : join(repository, "bin/containerd"),
      args: [
        "--config",
        join(dir, "config.toml"),
        "--root",
        join(dir, "root"),
        "--state",
        join(dir, "state"),
        "--address",
        this.address,
      ],
      socket: this.address,
      log: join(dir, "log"),
      env: { PATH: shimPath(kind) },
    });
  }

  /** Runs the stock ctr in the namespace. */
  ctr(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    return exec(tool("ctr"), this.#arguments(args), options);
  }

  /** Like `ctr`, but a failing command rejects; gives stdout without white space around it. */
  async ok(...args: string[]): Promise<string> {
    return (await must(tool("ctr"), this.#arguments(args))).trim();
  }

  /** Runs the stock ctr in a terminal of 77 columns and 22 lines. Each `input` is typed when its prompt was printed. */
  async terminal(
    args: readonly string[],
    inputs: readonly { prompt: string; input: string }[] = [],
  ): Promise<TerminalResult> {
    const terminal = pty.spawn(tool("ctr"), this.#arguments(args), { cols: 77, rows: 22 });
    let output = "";
    terminal.onData((data) => (output += data));
    const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    try {
      let seen = 0;
      for (const { prompt, input } of inputs) {
        await until(
          `ctr ${args.join(" ")} prints ${prompt}`,
          () => output.indexOf(prompt, seen) >= 0 || Promise.reject(new Error(JSON.stringify(output))),
        );
        seen = output.length;
        terminal.write(input);
      }
      return { code: await exited, output: output.replaceAll("\r\n", "\n") };
    } finally {
      terminal.kill();
    }
  }

  #arguments(args: readonly string[]): string[] {
    return ["--address", this.address, "-n", this.namespace, ...args];
  }

  /** Ends and removes all tasks and containers. */
  async clear(): Promise<void> {
    for (const id of (await this.ok("tasks", "ls", "-q")).split("\n").filter(Boolean))
      await this.ctr(["tasks", "rm", "-f", id]);
    for (const id of (await this.ok("containers", "ls", "-q")).split("\n").filter(Boolean))
      await this.ctr(["containers", "rm", id]);
  }

  /** Ends everything and removes what it kept. */
  async dispose(): Promise<void> {
    try {
      await this.clear();
    } finally {
      await this.daemon.stop();
    }
    removeCgroupParents(this.namespace);
    rmSync(this.dir, { recursive: true, force: true });
    try {
      rmdirSync(join("/run/containerd/runc", this.namespace));
    } catch {
      // Somebody else's containers of the same namespace are in it.
    }
  }
}
