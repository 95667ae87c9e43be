import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { Registry } from "../stock/registry.ts";
import { type EngineState, engineState, surplus } from "../engine/state.ts";
import { must } from "../host/exec.ts";
import { PowerCut, type Strike } from "../host/power-cut.ts";
import { Random } from "@longshore/fuzz";
import { removeCgroupParents } from "../host/state.ts";
import { until } from "../host/until.ts";
import { type Command, commandsOf } from "./commands.ts";
import { tree } from "./tree.ts";

/** All that must be again as it was, once a command was cut short, repeated and undone. */
interface Whole {
  state: EngineState;
  images: string[];
  volumes: string[];
  networks: string[];
  blobs: string[];
  files: string[];
  rules: string;
  links: string[];
}

/** One cut: what, when, whom, and how long until the next start. All follow from the seed. */
interface Cut {
  command: Command;
  strike: Strike;
  moment: number;
  both: boolean;
  awayMs: number;
  /** Strikes the next start, too, at this call. */
  again: number | undefined;
}

/** Cuts commands short by SIGKILL to the engine, to containerd or to both, at any of their calls. */
export class Killed {
  readonly longshore: Longshore;
  readonly #registry = new Registry();
  readonly #bridge = `lsq${process.pid}`;
  readonly #cgroupParent = `killed${process.pid}`;
  readonly #subnet = `10.217.${process.pid % 250}`;
  readonly #power: PowerCut;
  #commands: Command[] = [];
  #base: Whole | undefined;
  /** How many calls a command makes when nothing is in its way. */
  readonly #calls = new Map<string, number>();

  constructor() {
    this.longshore = new Longshore({
      bridge: this.#bridge,
      address: `10.216.${process.pid % 250}.1/24`,
      engineArgs: ["--cgroup-parent", `/${this.#cgroupParent}`],
    });
    this.#power = new PowerCut(this.longshore.dir, this.longshore.dir);
  }

  async start(): Promise<void> {
    const { longshore } = this;
    await this.#registry.start();
    await this.#power.build();
    longshore.engine.env = longshore.containerd.env = this.#power.env;
    await longshore.start();
    await importBusybox(longshore);
    const files = {
      pullable: `${this.#registry.address}/app:1`,
      loadable: "loadable:1",
      archive: join(longshore.dir, "image.tar"),
      subnet: `${this.#subnet}.0/24`,
    };
    const fill =
      "echo own > /own; mkdir /var/tree; for i in $(seq 300); do echo $i > /var/tree/$i; done; head -c 1000000 /dev/urandom > /var/data; touch /ready";
    await longshore.ok(["run", "-d", "--name", "kept", "busybox", "sh", "-c", `${fill}; exec sleep 100000`]);
    await longshore.ok(["exec", "kept", "sh", "-c", "while [ ! -e /ready ]; do usleep 10000; done"]);
    await longshore.ok(["commit", "kept", files.pullable]);
    await longshore.ok(["push", "-q", files.pullable]);
    await longshore.ok(["tag", files.pullable, files.loadable]);
    await longshore.ok(["save", "-o", files.archive, files.loadable]);
    await longshore.ok(["rmi", files.pullable, files.loadable]);
    this.#commands = commandsOf(files);
    // What later runs find is there after the first: layers of the engine's own, the proxy, sockets.
    await this.#run([
      ["network", "create", "--subnet", files.subnet, "net"],
      ["run", "--rm", "--network", "net", "-p", "127.0.0.1::80", "busybox", "true"],
      ["network", "rm", "net"],
    ]);
    this.#base = await this.#whole();
  }

  /**
   * Cuts one command short and looks at everything: nothing is there by half, what was done stays, the
   * same command succeeds, and when that is undone all is as before.
   * @returns what it did, in words @throws Error with what was wrong
   */
  async round(seed: string, number: number): Promise<string> {
    const random = new Random(`${seed}/${number}`);
    const command = this.#commands[number % this.#commands.length] ?? this.#fail("no commands");
    const strike: Strike = random.chance(0.5) ? "kill" : "kill anywhere";
    const calls = await this.#callsOf(command, strike);
    const cut: Cut = {
      command,
      strike,
      moment: random.int(1, calls),
      both: random.chance(0.3),
      awayMs: random.int(0, 200),
      again: random.chance(0.2) ? random.int(1, 60) : undefined,
    };
    const words = `round ${number} of seed ${seed}: docker ${command.args.join(" ")}: ${strike} at ${cut.moment} of ${calls}${cut.both ? ", both" : ""}${cut.again === undefined ? "" : `, the next start at ${cut.again}`}`;
    try {
      return `${words}: ${await this.#cut(cut)}`;
    } catch (error) {
      this.#power.disarm();
      throw new Error(`${words}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  #fail(message: string): never {
    throw new Error(message);
  }

  /** Runs it once undisturbed, and counts. */
  async #callsOf(command: Command, strike: Strike): Promise<number> {
    const key = JSON.stringify([command.args, strike]);
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    await this.#run(command.before ?? []);
    this.#power.arm(strike, Number.MAX_SAFE_INTEGER);
    await this.longshore.ok(command.args);
    const { count } = this.#power;
    this.#power.disarm();
    this.#calls.set(key, count);
    await this.#undo(command);
    return count;
  }

  async #cut({ command, strike, moment, both, awayMs, again }: Cut): Promise<string> {
    const { longshore } = this;
    const { engine, containerd, api } = longshore;
    await this.#run(command.before ?? []);
    this.#power.arm(strike, moment);
    const running = longshore.docker(command.args, { timeoutMs: 30_000 });
    await Promise.race([running, engine.ended(), containerd.ended()]);
    // The client may hear of a death before we do.
    if (this.#power.count >= moment) await Promise.race([engine.ended(), containerd.ended()]);
    this.#power.disarm();
    const victims = [engine, containerd].filter((daemon) => !daemon.running).map(({ name }) => name);
    if (both && victims.length > 0) await Promise.all([engine.kill(), containerd.kill()]);
    await sleep(awayMs);
    await this.#startAgain(again);
    const { code, stdout, stderr } = await running;
    if (code !== 0 && victims.length === 0) throw new Error(`failed undisturbed: exit ${code}: ${stderr}`);
    await until("the engine serves", () => api.serves());
    await until("nothing is there by half", async () => this.#nothingByHalf(command), 15_000);
    let done = await command.done(api);
    if (code === 0 && !done && command.skips !== true)
      throw new Error(`it ended with 0, printed ${JSON.stringify(stdout)}, and what it did is lost`);
    const outcome = `${victims.join(", ") || "nobody"} died, ${code === 0 ? "it succeeded" : done ? "it was done all the same" : "it was not done"}`;
    if (!done && (await command.begun?.(api)) === true) await this.#undo(command);
    if (!done) {
      await longshore.ok(command.args);
      done = await command.done(api);
    }
    if (!done) throw new Error("the same command again says that it succeeded, and nothing is done");
    if (command.use !== undefined) await longshore.ok(command.use);
    await this.#undo(command);
    await until("all is as before", async () => this.#asBefore(), 15_000);
    return outcome;
  }

  /** Starts what does not run. With `again`, it is killed at that call of its start, and started once more. */
  async #startAgain(again: number | undefined): Promise<void> {
    const { engine, containerd } = this.longshore;
    if (again !== undefined) this.#power.arm("kill anywhere", again);
    const start = async (): Promise<void> => {
      if (!containerd.running) await containerd.start();
      if (!engine.running) await engine.start();
    };
    if (again === undefined) return start();
    await start().catch(() => undefined);
    this.#power.disarm();
    await start();
  }

  async #run(commands: readonly string[][]): Promise<void> {
    for (const args of commands) await this.longshore.ok(args);
  }

  async #undo(command: Command): Promise<void> {
    for (const args of command.undo) {
      const { code, stderr } = await this.longshore.docker(args);
      if (code !== 0 && !/no such/i.test(stderr)) throw new Error(`docker ${args.join(" ")}: exit ${code}: ${stderr}`);
    }
  }

  #state(): Promise<EngineState> {
    return engineState(this.longshore, { bridge: this.#bridge, cgroupParent: this.#cgroupParent });
  }

  async #nothingByHalf({ resumes }: Command): Promise<boolean> {
    const { api } = this.longshore;
    const state = await this.#state();
    const found = surplus(resumes === true ? { ...state, ingests: [] } : state);
    const { Warnings } = await api.get<{ Warnings: string[] | null }>("/info");
    const containers = await api.get<{ Names: string[]; State: string }[]>("/containers/json?all=1");
    for (const { Names, State } of containers)
      if (/^(dead|removing)$/.test(State)) found.push(`${Names.join(" ")} is ${State}`);
    found.push(...(Warnings ?? []).filter((warning) => /damaged|set aside/.test(warning)));
    for (const { Name } of (await api.get<{ Volumes: { Name: string }[] }>("/volumes")).Volumes)
      await api.get(`/volumes/${Name}`);
    const networks = await api.get<{ Id: string; Name: string }[]>("/networks");
    for (const { Id } of networks) await api.get(`/networks/${Id}`);
    for (const { Id } of await api.get<{ Id: string }[]>("/images/json")) await api.get(`/images/${Id}/json`);
    const links = await this.#links();
    const made = networks.filter(({ Name }) => Name === "net").length;
    if (links.length !== made) found.push(`${made} networks with links ${links.join(" ")}`);
    if (found.length > 0) throw new Error(found.join("\n  "));
    return true;
  }

  /** Bridges of networks that the commands make, told by their subnet. */
  async #links(): Promise<string[]> {
    const lines = (await must("ip", ["-o", "-4", "address"])).split("\n");
    return lines
      .filter((line) => line.includes(` ${this.#subnet}.`))
      .map((line) => line.split(/\s+/)[1] ?? "")
      .sort();
  }

  async #whole(): Promise<Whole> {
    const { api, dir } = this.longshore;
    const state = await this.#state();
    const [images, volumes, networks, rules] = await Promise.all([
      api.get<{ Id: string; RepoTags: string[] }[]>("/images/json?all=1"),
      api.get<{ Volumes: { Name: string }[] }>("/volumes"),
      api.get<{ Name: string }[]>("/networks"),
      must("nft", ["-s", "list", "table", "ip", `longshore-${this.#bridge}`]),
    ]);
    const blobs: string[] = [];
    for await (const { info } of api.containerd.content.list({})) blobs.push(...info.map(({ digest }) => digest));
    return {
      state,
      images: images.map(({ Id, RepoTags }) => `${Id} ${RepoTags.join(" ")}`).sort(),
      volumes: volumes.Volumes.map(({ Name }) => Name).sort(),
      networks: networks.map(({ Name }) => Name).sort(),
      blobs: blobs.sort(),
      files: [
        ...tree(join(dir, "data")).map((path) => `data/${path}`),
        ...tree(join(dir, "containerd")).map((path) => `containerd/${path}`),
        ...tree(join(dir, "run")).map((path) => `run/${path}`),
      ],
      rules,
      links: await this.#links(),
    };
  }

  async #asBefore(): Promise<boolean> {
    const now = await this.#whole();
    const found: string[] = [];
    const compare = (what: string, before: unknown, after: unknown): void => {
      if (JSON.stringify(before) === JSON.stringify(after)) return;
      const lines = (value: unknown): string[] =>
        Array.isArray(value) ? value.map(String) : String(value).split("\n");
      const [was, is] = [lines(before), lines(after)];
      found.push(
        `${what}: new ${is.filter((each) => !was.includes(each)).join(" | ")}; gone ${was.filter((each) => !is.includes(each)).join(" | ")}`,
      );
    };
    const { state, ...rest } = this.#base ?? this.#fail("not started");
    for (const [what, before] of Object.entries(state)) compare(what, before, now.state[what as keyof EngineState]);
    for (const [what, before] of Object.entries(rest)) compare(what, before, now[what as keyof Whole]);
    if (found.length > 0) throw new Error(found.join("\n  "));
    return true;
  }

  /** The ends of both daemons' logs. */
  logTails(characters = 3000): string {
    return [this.longshore.containerd, this.longshore.engine]
      .map(({ name, log }) => `--- ${name} ---\n${readFileSync(log, "utf8").slice(-characters)}`)
      .join("\n");
  }

  async stop(): Promise<void> {
    this.#power.disarm();
    try {
      await this.#startAgain(undefined);
      const ids = (await this.longshore.docker(["ps", "-aq"])).stdout.split("\n").filter(Boolean);
      if (ids.length > 0) await this.longshore.docker(["rm", "-f", "-v", ...ids]);
      await this.longshore.docker(["network", "prune", "-f"]);
    } finally {
      await this.longshore.dispose();
      removeCgroupParents(this.#cgroupParent);
      await this.#registry.stop();
      this.#power.close();
    }
  }
}
