import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type ExecOptions, type Result } from "../host/exec.ts";
import type { Longshore } from "./longshore.ts";
import { tool } from "./tools.ts";

/** The stock `docker compose` in one project. */
export class Compose {
  readonly #longshore: Longshore;
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;

  /** @param file of the project */
  constructor(longshore: Longshore, project: string, file: string) {
    this.#longshore = longshore;
    this.#args = ["compose", "--progress", "plain", "--ansi", "never", "-p", project, "-f", file];
    this.#env = { NODE_BINARY: process.execPath };
    const plugins = join(longshore.clientEnv()["DOCKER_CONFIG"] ?? "", "cli-plugins");
    mkdirSync(plugins, { recursive: true });
    try {
      symlinkSync(tool("cli-plugins/docker-compose"), join(plugins, "docker-compose"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }

  run(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    return this.#longshore.docker([...this.#args, ...args], {
      timeoutMs: 120_000,
      ...options,
      env: { ...this.#env, ...options.env },
    });
  }

  /** Like `run`, but a failing command rejects; gives stdout without its last newline. */
  async ok(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    const result = await this.run(args, options);
    if (result.code !== 0)
      throw new Error(`docker compose ${args.join(" ")}: exit ${result.code}: ${result.stderr || result.stdout}`);
    return result.stdout.replace(/\n$/, "");
  }

  /** Starts a command that goes on until it is ended; what it prints is on its stdout. */
  start(args: readonly string[], cwd?: string): ChildProcess {
    return spawn(tool("docker"), [...this.#args, ...args], {
      cwd,
      env: { ...process.env, ...this.#longshore.clientEnv(), ...this.#env },
      stdio: ["ignore", "pipe", "inherit"],
    });
  }
}
