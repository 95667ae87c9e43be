import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Daemon } from "../engine/daemon.ts";
import { repository, tool } from "../engine/tools.ts";
import { type Result, exec, must } from "../host/exec.ts";
import { removeDockerCgroup } from "../host/state.ts";

/** A machine's network has no sysfs that shows its devices but one that is mounted there; cgroups stay the machine's. */
const settle = (sys: string): string => `
  mount --make-rslave / && mkdir -p ${sys} && mount -t sysfs sysfs ${sys} && mount --rbind /sys/fs/cgroup ${sys}/fs/cgroup &&
  mount --rbind ${sys} /sys && ip link set lo up && echo ready && exec sleep infinity`;

/** Two machines behind two links: what the world's host routes for, and from where it is asked. */
const neighbours = [
  { name: "outside", device: "eth0", v4: "192.0.2", v6: "2001:db8" },
  { name: "trusted", device: "eth1", v4: "198.51.100", v6: "2001:db8:1" },
] as const;

/**
 * A host of its own to run an engine on, ours or the stock one: a network namespace with nothing in
 * it but two links, to machines (namespaces, too) that reach it, and its containers through it.
 */
export class World {
  readonly dir = mkdtempSync("/tmp/longshore-");
  readonly #stock: boolean;
  readonly #processes = new Map<string, ChildProcess>();
  #containerd: Daemon | undefined;
  #engine: Daemon | undefined;

  /** @param stock whether the stock engine runs there, to record what it does */
  constructor(stock: boolean) {
    this.#stock = stock;
  }

  /** The namespace of the host or of a neighbour. */
  netns(name: string): string {
    return `/proc/${this.#pid(name)}/ns/net`;
  }

  #pid(name: string): number {
    const pid = this.#processes.get(name)?.pid;
    if (pid === undefined) throw new Error(`there is no ${name} here`);
    return pid;
  }

  async #namespace(name: string, flags: string[], script: string): Promise<void> {
    const child = spawn("unshare", [...flags, "sh", "-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    this.#processes.set(name, child);
    await once(child.stdout, "data");
  }

  /** Where commands run that are to see what the engine sees. */
  #inside(command: string, args: readonly string[]): string[] {
    const pid = this.#pid("host");
    return [`--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, command, ...args];
  }

  run(command: string, args: readonly string[], input?: string): Promise<Result> {
    const env: Record<string, string> = {
      DOCKER_HOST: `unix://${this.#at("docker.sock")}`,
      DOCKER_CONFIG: this.#at("docker-config"),
      PATH: `${tool(".")}:${process.env["PATH"]}`,
      LC_ALL: "C",
      DIR: this.#at("folder"),
    };
    for (const { name } of neighbours) env[`${name}_netns`] = this.netns(name);
    return exec("nsenter", this.#inside(command, args), {
      env,
      cwd: this.dir,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** Runs the stock CLI; a failing command rejects. */
  async ok(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run("docker", args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: exit ${code}: ${stderr}`);
    return stdout.trim();
  }

  #at(...names: string[]): string {
    return join(this.dir, ...names);
  }

  readonly #end = (): void => {
    for (const child of this.#processes.values()) child.kill("SIGKILL");
  };

  async start(): Promise<void> {
    process.once("exit", this.#end);
    mkdirSync(this.#at("docker-config"));
    mkdirSync(this.#at("folder"));
    await this.#namespace("host", ["-m", "-n"], settle(this.#at("sys")));
    for (const { name, device, v4, v6 } of neighbours) {
      await this.#namespace(name, ["-n"], "ip link set lo up; echo ready; exec sleep infinity");
      await must(
        "nsenter",
        this.#inside("sh", [
          "-ec",
          `
        ip link add ${device} type veth peer name eth0 netns ${this.#pid(name)}
        ip addr add ${v4}.1/24 dev ${device}; ip addr add ${v6}::1/64 dev ${device} nodad; ip link set ${device} up
        nsenter --net=${this.netns(name)} sh -ec 'ip addr add ${v4}.2/24 dev eth0; ip addr add ${v6}::2/64 dev eth0 nodad
          ip link set eth0 up; ip route add default via ${v4}.1; ip -6 route add default via ${v6}::1'`,
        ]),
      );
    }
    await must(
      "nsenter",
      this.#inside("sh", ["-ec", "ip route add default via 192.0.2.2; ip -6 route add default via 2001:db8::2"]),
    );
    const stockConfig = 'version = 3\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n';
    writeFileSync(this.#at("config.toml"), this.#stock ? stockConfig : "version = 3\n");
    const command = this.#stock ? tool("containerd") : join(repository, "bin/containerd");
    const args = [
      "--config",
      this.#at("config.toml"),
      "--root",
      this.#at("containerd"),
      "--state",
      this.#at("run/containerd"),
      "--address",
      this.#at("containerd.sock"),
    ];
    this.#containerd = this.#daemon("containerd", command, args);
    await this.#containerd.start();
  }

  #daemon(name: string, command: string, args: readonly string[]): Daemon {
    const socket = this.#at(name === "dockerd" ? "docker.sock" : `${name}.sock`);
    const env = this.#stock ? { PATH: `${tool(".")}:${process.env["PATH"]}` } : {};
    return new Daemon({
      name,
      command: "nsenter",
      args: this.#inside(command, args),
      socket,
      log: this.#at(`${name}.log`),
      env,
    });
  }

  /** Starts the engine, or starts it again, with further options. */
  async engine(flags: readonly string[], config = "{}"): Promise<void> {
    const first = this.#engine === undefined;
    await this.#engine?.stop();
    // The stock engine leaves its rules behind.
    await this.run("nft", ["flush", "ruleset"]);
    writeFileSync(this.#at("daemon.json"), config);
    const own = [
      "-H",
      `unix://${this.#at("docker.sock")}`,
      "--data-root",
      this.#at("data"),
      "--exec-root",
      this.#at("run/docker"),
      "--pidfile",
      this.#at("docker.pid"),
    ];
    const command = this.#stock ? tool("dockerd") : join(repository, "bin/dockerd");
    this.#engine = this.#daemon("dockerd", command, [
      ...own,
      "--containerd",
      this.#at("containerd.sock"),
      "--config-file",
      this.#at("daemon.json"),
      // Not the machine's.
      ...(this.#stock ? [] : ["--longshore-config-file", "/dev/null"]),
      ...flags,
    ]);
    await this.#engine.start();
    if (first) await importBusybox(this);
  }

  /** Removes what was made: containers, volumes and what is in the folder that commands know as `$DIR`. */
  async clear(): Promise<void> {
    if (this.#engine?.running === true) {
      const all = (await this.ok(["ps", "-aq"])).split("\n").filter(Boolean);
      if (all.length > 0) await this.ok(["rm", "-f", "-v", ...all]);
      const volumes = (await this.ok(["volume", "ls", "-q"])).split("\n").filter(Boolean);
      if (volumes.length > 0) await this.ok(["volume", "rm", ...volumes]);
    }
    rmSync(this.#at("folder"), { recursive: true, force: true });
    mkdirSync(this.#at("folder"));
  }

  async dispose(): Promise<void> {
    try {
      await this.clear();
    } finally {
      await this.#engine?.stop();
      await this.#containerd?.stop();
      this.#end();
      process.off("exit", this.#end);
      removeDockerCgroup();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }
}
