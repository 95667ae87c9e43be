import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExecOptions, type Result, exec, must } from "../host/exec.ts";
import { removeDockerCgroup } from "../host/state.ts";
import { EngineApi } from "./api.ts";
import { Daemon } from "./daemon.ts";
import { stockContainerd } from "../stock/containerd.ts";
import { repository, tool } from "./tools.ts";

/** An engine to run the same tests against instead, such as the real one: a DOCKER_HOST value. */
const foreignHost = process.env["LONGSHORE_TEST_HOST"];

/** An engine and a containerd of the test's own: data root, state, sockets and bridge lie in one folder. */
export class Longshore {
  readonly dir: string;
  readonly host: string;
  /** The data roots of the engine and of containerd. */
  readonly data: string;
  readonly containerdRoot: string;
  readonly containerd: Daemon;
  readonly engine: Daemon;
  readonly api: EngineApi;
  readonly #bridge: string;
  readonly #address: string;

  /**
   * @param options.address of the bridge, with prefix length: the default network's subnet
   * @param options.stock the containerd is the stock one
   * @param options.disk folder in `dir` that both data roots lie in, for tests that mount a disk there
   */
  constructor(options: {
    bridge: string;
    address: string;
    engineArgs?: readonly string[];
    disk?: string;
    stock?: boolean;
  }) {
    this.#bridge = options.bridge;
    this.#address = options.address;
    // Short, since unix socket paths are limited.
    this.dir = mkdtempSync("/tmp/longshore-");
    mkdirSync(join(this.dir, "docker-config"));
    for (const file of ["daemon.json", "engine.json"]) writeFileSync(join(this.dir, file), "{}");
    const disk = join(this.dir, options.disk ?? ".");
    this.data = join(disk, "data");
    this.containerdRoot = join(disk, "containerd");
    const containerdSocket = join(this.dir, "containerd.sock");
    const socket = join(this.dir, "docker.sock");
    this.api = new EngineApi({ engine: socket, containerd: containerdSocket });
    this.host = foreignHost ?? `unix://${socket}`;
    const containerd =
      options.stock === true
        ? stockContainerd(join(this.dir, "containerd.toml"))
        : { command: join(repository, "bin/containerd"), args: [], env: {} };
    this.containerd = new Daemon({
      ...containerd,
      name: "containerd",
      args: [
        ...containerd.args,
        ...["--root", this.containerdRoot, "--state", join(this.dir, "run/containerd"), "--address", containerdSocket],
      ],
      socket: containerdSocket,
      log: join(this.dir, "containerd.log"),
    });
    this.engine = new Daemon({
      name: "dockerd",
      command: join(repository, "bin/dockerd"),
      args: [
        ...["-H", this.host, "--data-root", this.data, "--exec-root", join(this.dir, "run/docker")],
        ...[
          "--pidfile",
          join(this.dir, "docker.pid"),
          "--containerd",
          containerdSocket,
          "--config-file",
          join(this.dir, "daemon.json"),
          "--longshore-config-file",
          join(this.dir, "engine.json"),
        ],
        // The host forwards as it did before.
        ...["--bridge", options.bridge, "--ip-forward-no-drop"],
        ...(options.engineArgs ?? []),
      ],
      socket,
      log: join(this.dir, "dockerd.log"),
    });
  }

  async start(): Promise<void> {
    if (foreignHost !== undefined) return;
    // As with dockerd, a bridge that is named by a flag belongs to whoever made it.
    await must("ip", ["link", "add", this.#bridge, "type", "bridge"]);
    await must("ip", ["address", "add", this.#address, "dev", this.#bridge]);
    await must("ip", ["link", "set", this.#bridge, "up"]);
    await this.containerd.start();
    await this.engine.start();
  }

  /** Runs the stock docker CLI against this engine. */
  docker(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    return exec(tool("docker"), args, { ...options, env: { ...this.clientEnv(), ...options.env } });
  }

  /** Like `docker`, but a failing command rejects; gives stdout without its last newline. */
  async ok(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    const result = await this.docker(args, options);
    if (result.code !== 0)
      throw new Error(`docker ${args.join(" ")}: exit ${result.code}: ${result.stderr || result.stdout}`);
    return result.stdout.replace(/\n$/, "");
  }

  /** Runs the stock ctr against this containerd. */
  ctr(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    return exec(
      tool("ctr"),
      ["--address", process.env["LONGSHORE_TEST_CONTAINERD"] ?? join(this.dir, "containerd.sock"), ...args],
      options,
    );
  }

  clientEnv(): Record<string, string> {
    return { DOCKER_HOST: this.host, DOCKER_CONFIG: join(this.dir, "docker-config") };
  }

  /** Ends both daemons and removes everything they kept; may be called again. Containers must be gone before. */
  async dispose(): Promise<void> {
    if (foreignHost !== undefined) return rmSync(this.dir, { recursive: true, force: true });
    this.api.close();
    await this.engine.stop();
    await this.containerd.stop();
    await exec("ip", ["link", "delete", this.#bridge]);
    removeDockerCgroup();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
