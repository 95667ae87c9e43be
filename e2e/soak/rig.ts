import { closeSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { Registry } from "../stock/registry.ts";
import { must } from "../host/exec.ts";
import { removeCgroupParents } from "../host/state.ts";
import { Commands } from "./commands.ts";
import { type EngineState, engineState } from "../engine/state.ts";

/** What the rounds work on: an engine of their own, and a registry with an image to pull. */
export class Rig {
  readonly longshore: Longshore;
  readonly commands: Commands;
  readonly #registry = new Registry();
  readonly #bridge = `lsk${process.pid}`;
  readonly #cgroupParent = `soak${process.pid}`;
  /** An image that the registry has and the engine has not. */
  pullable = "";

  constructor() {
    this.longshore = new Longshore({
      bridge: this.#bridge,
      address: `10.214.${process.pid % 250}.1/24`,
      engineArgs: ["--cgroup-parent", `/${this.#cgroupParent}`],
    });
    this.commands = new Commands(this.longshore);
  }

  async start(): Promise<void> {
    await this.#registry.start();
    await this.longshore.start();
    await importBusybox(this.longshore);
    await this.#pushImage();
  }

  /** A layer that takes a moment to come and to unpack. */
  async #pushImage(): Promise<void> {
    const { longshore } = this;
    this.pullable = `${this.#registry.address}/soak/app:1`;
    const tar = `${this.longshore.dir}/layer.tar`;
    await must("sh", [
      "-c",
      `mkdir ${tar}.d && head -c 6000000 /dev/urandom > ${tar}.d/data && cd ${tar}.d && mkdir tree && for i in $(seq 500); do echo $i > tree/$i; done && tar -cf ${tar} . && rm -r ${tar}.d`,
    ]);
    await longshore.ok([
      "run",
      "--name",
      "soak-base",
      "-v",
      `${tar}:/layer.tar:ro`,
      "busybox",
      "tar",
      "-xf",
      "/layer.tar",
      "-C",
      "/var",
    ]);
    await longshore.ok(["commit", "soak-base", this.pullable]);
    await longshore.ok(["rm", "soak-base"]);
    await longshore.ok(["push", "-q", this.pullable]);
    await longshore.ok(["rmi", this.pullable]);
    rmSync(tar);
  }

  state(): Promise<EngineState> {
    return engineState(this.longshore, { bridge: this.#bridge, cgroupParent: this.#cgroupParent });
  }

  /** The ends of both daemons' logs. */
  logTails(bytes = 6000): string {
    return [this.longshore.containerd, this.longshore.engine]
      .map(({ name, log }) => `--- ${name} ---\n${tail(log, bytes)}`)
      .join("\n");
  }

  async stop(): Promise<void> {
    const { containerd, engine } = this.longshore;
    if ((await this.longshore.docker(["images", "-q"])).code !== 0) {
      // Daemons that a round or a signal ended: containers are removed by daemons that run.
      await engine.kill();
      await containerd.kill();
      await containerd.start();
      await engine.start();
    }
    const ids = (await this.longshore.ok(["ps", "-aq"]).catch(() => "")).split("\n").filter(Boolean);
    if (ids.length > 0) await this.longshore.docker(["rm", "-f", "-v", ...ids]);
    await this.longshore.dispose();
    removeCgroupParents(this.#cgroupParent);
    await this.#registry.stop();
  }
}

function tail(path: string, bytes: number): string {
  const fd = openSync(path, "r");
  try {
    const from = Math.max(0, fstatSync(fd).size - bytes);
    const buffer = Buffer.alloc(bytes);
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, bytes, from));
  } finally {
    closeSync(fd);
  }
}
