import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExecOptions, type Result, exec } from "../host/exec.ts";
import { removeCgroupParents } from "../host/state.ts";
import { Daemon } from "../engine/daemon.ts";
import { tool } from "../engine/tools.ts";

/** A stock dockerd of the test's own on a given containerd. It has no bridge, so that it touches nothing of the host's network. */
export class Dockerd {
  readonly daemon: Daemon;
  readonly host: string;
  readonly #dir: string;
  /** Of its own: dockerd makes one for builds inside it and leaves both. */
  readonly #cgroupParent = `e2e-dockerd-${process.pid}`;

  /** @param dir short, since unix socket paths are limited; @param config what daemon.json says */
  constructor(dir: string, containerd: string, config: object) {
    this.#dir = dir;
    mkdirSync(join(dir, "client/cli-plugins"), { recursive: true });
    symlinkSync(tool("cli-plugins/docker-buildx"), join(dir, "client/cli-plugins/docker-buildx"));
    writeFileSync(join(dir, "daemon.json"), JSON.stringify({ "cgroup-parent": `/${this.#cgroupParent}`, ...config }));
    const socket = join(dir, "docker.sock");
    this.host = `unix://${socket}`;
    this.daemon = new Daemon({
      name: "dockerd (stock)",
      command: tool("dockerd"),
      args: [
        ...[
          "-H",
          this.host,
          "--config-file",
          join(dir, "daemon.json"),
          "--data-root",
          join(dir, "data"),
          "--exec-root",
          join(dir, "run"),
        ],
        ...["--pidfile", join(dir, "docker.pid"), "--containerd", containerd, "--bridge", "none", "--live-restore"],
        ...["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false"],
      ],
      socket,
      log: join(dir, "dockerd.log"),
    });
  }

  clientEnv(): Record<string, string> {
    return { DOCKER_HOST: this.host, DOCKER_CONFIG: join(this.#dir, "client") };
  }

  docker(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    return exec(tool("docker"), args, { ...options, env: this.clientEnv() });
  }

  /** Like `docker`, but a failing command rejects; gives stdout without its last newline. */
  async ok(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    const result = await this.docker(args, options);
    if (result.code !== 0)
      throw new Error(`docker ${args.join(" ")}: exit ${result.code}: ${result.stderr || result.stdout}`);
    return result.stdout.replace(/\n$/, "");
  }

  /** Removes all containers, ends the daemon and removes what it kept. */
  async dispose(): Promise<void> {
    try {
      const all = (await this.ok(["ps", "-aq"])).split("\n").filter(Boolean);
      if (all.length > 0) await this.ok(["rm", "-f", ...all]);
    } finally {
      await this.daemon.stop();
      // With --live-restore dockerd leaves its data root mounted on itself.
      while ((await exec("umount", [join(this.#dir, "data")])).code === 0);
      removeCgroupParents(this.#cgroupParent);
      rmSync(this.#dir, { recursive: true, force: true });
    }
  }
}
