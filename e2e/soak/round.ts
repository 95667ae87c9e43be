import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineApi } from "../engine/api.ts";
import { surplus } from "../engine/state.ts";
import { until } from "../host/until.ts";
import { Interrupted } from "./commands.ts";
import { checkCount, counting, endlessly, readJsonLog } from "./counting.ts";
import { type Job, type Plan, planOf } from "./plan.ts";
import type { Rig } from "./rig.ts";

/** The containers that count through all rounds, by the rotation of their logs. */
const counters: Record<string, string[]> = {
  plain: [],
  rotated: ["--log-opt", "max-size=100k", "--log-opt", "max-file=3"],
  compressed: ["--log-opt", "max-size=100k", "--log-opt", "max-file=4", "--log-opt", "compress=true"],
};
/** After so many rounds a counter is replaced, so that reading its log stays quick. */
const counterRounds = 10;

/** One round: a mixed load, a kill in the middle of it, and a look at everything afterwards. */
export class Round {
  readonly #rig: Rig;
  readonly #plan: Plan;
  readonly #problems: string[] = [];

  constructor(rig: Rig, seed: string, round: number) {
    this.#rig = rig;
    this.#plan = planOf(seed, round);
  }

  /** @returns what was wrong, in words; empty when nothing was */
  async run(): Promise<string[]> {
    const { commands, longshore } = this.#rig;
    const plan = this.#plan;
    await this.#prepare();
    const pids = await this.#counterPids();
    const shim = plan.shimAfterMs === undefined ? undefined : await this.#shimOf(this.#name("victim"));
    const load = this.#load();
    await sleep(plan.killAfterMs);
    const shimDies = this.#killShim(shim);
    if (shim !== undefined && (plan.shimAfterMs ?? 0) < 0) await shimDies;
    commands.down();
    await this.#killDaemons();
    await sleep(plan.awayMs);
    if (plan.victims !== "engine") await longshore.containerd.start();
    if (plan.victims !== "containerd") await longshore.engine.start();
    await until("the engine has containerd again", () => longshore.api.serves());
    commands.up();
    await shimDies;
    await load;
    await this.#check("counters run on", async () => {
      const now = await this.#counterPids();
      if (JSON.stringify(now) !== JSON.stringify(pids))
        throw new Error(`pids were ${JSON.stringify(pids)}, are ${JSON.stringify(now)}`);
    });
    await this.#verify();
    await this.#check("all of the round is removed", () => this.#removeAll());
    await this.#check("nothing is left", () => until("nothing is left", async () => this.#nothingLeft(), 15_000));
    return this.#problems;
  }

  #name(what: string): string {
    return `soak-${this.#plan.round}-${what}`;
  }

  async #check(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Like `check`, for what a kill may interrupt. */
  async #try(what: string, work: () => Promise<unknown>): Promise<void> {
    await this.#check(what, async () => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
    });
  }

  async #prepare(): Promise<void> {
    const { commands } = this.#rig;
    const { round } = this.#plan;
    for (const [kind, options] of Object.entries(counters)) {
      const name = `soak-${kind}`;
      if (await this.#exists(name)) {
        if (round % counterRounds !== 0) continue;
        await commands.ok(["rm", "-f", name]);
      }
      await commands.ok(["run", "-d", "--name", name, ...options, "busybox", "sh", "-c", endlessly]);
    }
    await commands.ok(["run", "-d", "--name", this.#name("victim"), "-p", "80", "busybox", "sh", "-c", endlessly]);
  }

  get #api(): EngineApi {
    return this.#rig.longshore.api;
  }

  async #counterPids(): Promise<string[]> {
    return Promise.all(
      Object.keys(counters).map(async (kind) => {
        const { State, RestartCount } = await this.#api.inspect(`soak-${kind}`);
        return `${State.Pid} ${State.Running} ${RestartCount}`;
      }),
    );
  }

  async #shimOf(name: string): Promise<{ shim: number; init: number }> {
    const init = (await this.#api.inspect(name)).State.Pid;
    return { init, shim: Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${init}/status`, "utf8"))?.[1]) };
  }

  async #killShim(target: { shim: number } | undefined): Promise<void> {
    if (target === undefined) return;
    await sleep(Math.max(0, this.#plan.shimAfterMs ?? 0));
    process.kill(target.shim, "SIGKILL");
  }

  async #killDaemons(): Promise<void> {
    const { engine, containerd } = this.#rig.longshore;
    const { victims, betweenMs } = this.#plan;
    const kill = async (daemon: typeof engine, delay: number): Promise<void> => {
      await sleep(Math.max(0, delay));
      await daemon.kill();
    };
    await Promise.all([
      ...(victims === "containerd" ? [] : [kill(engine, betweenMs)]),
      ...(victims === "engine" ? [] : [kill(containerd, -betweenMs)]),
    ]);
  }

  async #load(): Promise<void> {
    const { commands, pullable } = this.#rig;
    const plan = this.#plan;
    const at = async (afterMs: number | undefined, what: string, work: () => Promise<unknown>): Promise<void> => {
      if (afterMs === undefined) return;
      await sleep(afterMs);
      await this.#try(what, work);
    };
    await Promise.all([
      ...plan.jobs.map((job, index) => at(job.afterMs, `job ${index}`, () => this.#startJob(job, index))),
      ...plan.execs.map(({ afterMs, code }) => at(afterMs, "exec", () => this.#exec(code))),
      at(plan.pullAfterMs, "pull", async () => {
        await commands.ok(["pull", "-q", pullable]);
        await commands.ok(["image", "inspect", pullable]);
      }),
      at(plan.commitAfterMs, "commit", () => commands.ok(["commit", "soak-rotated", `${this.#name("commit")}:1`])),
      at(plan.publishAfterMs, "publish", () =>
        commands.ok(["run", "-d", "--name", this.#name("web"), "-p", "80", "busybox", "httpd", "-f", "-h", "/etc"]),
      ),
      at(plan.removeAfterMs, "rm", async () => {
        await commands.ok(["run", "-d", "--name", this.#name("removed"), "busybox", "sh", "-c", endlessly]);
        await commands.ok(["rm", "-f", this.#name("removed")]);
      }),
    ]);
  }

  async #startJob(job: Job, index: number): Promise<void> {
    const { commands } = this.#rig;
    const args = [
      "--name",
      this.#name(`job${index}`),
      "busybox",
      "sh",
      "-c",
      counting(job.count, job.seconds, job.code),
    ];
    if (!job.attached) {
      await commands.ok(["run", "-d", ...args]);
      return;
    }
    const { code, stdout, stderr, interrupted } = await commands.run(["run", ...args]);
    if (code === job.code) {
      const { last } = checkCount("output of an attached run", stdout, { from: 0 });
      if (last !== job.count - 1) throw new Error(`an attached run printed up to ${last} of ${job.count}`);
    } else if (!interrupted || ![1, 125].includes(code))
      throw new Error(`an attached run gave ${code} instead of ${job.code}: ${stderr}`);
  }

  async #exec(wanted: number): Promise<void> {
    const { code, stdout, stderr, interrupted } = await this.#rig.commands.run([
      "exec",
      "soak-plain",
      "sh",
      "-c",
      `echo said; exit ${wanted}`,
    ]);
    if (code === wanted && stdout === "said\n") return;
    // A client whose connection breaks has printed some or nothing; 255 is its own word for a daemon that died.
    const own = this.#plan.victims === "containerd" ? [1, 125, 126, 128] : [1, 125, 126, 128, 255];
    if (!interrupted || (code !== wanted && !own.includes(code)))
      throw new Error(`exec gave ${code} instead of ${wanted}: ${stdout}${stderr}`);
  }

  async #verify(): Promise<void> {
    const plan = this.#plan;
    await Promise.all([
      ...plan.jobs.map((job, index) =>
        this.#check(`job ${index} ${JSON.stringify(job)}`, () => this.#verifyJob(job, this.#name(`job${index}`))),
      ),
      ...Object.keys(counters).map((kind) => this.#check(`counter ${kind}`, () => this.#verifyCounter(kind))),
      this.#check("victim", () => this.#verifyVictim()),
      plan.publishAfterMs === undefined ? undefined : this.#check("published port", () => this.#verifyWeb()),
      this.#check("exec works", async () => {
        if ((await this.#rig.commands.ok(["exec", "soak-plain", "echo", "here"])) !== "here")
          throw new Error("exec printed something else");
      }),
      this.#check("images", () => this.#verifyImages()),
    ]);
  }

  /** Whether a container is there: one whose `run` was interrupted need not be. */
  #exists(name: string): Promise<boolean> {
    return this.#api.has(`/containers/${name}/json`);
  }

  async #verifyJob(job: Job, name: string): Promise<void> {
    if (!(await this.#exists(name))) return;
    const state = (await this.#api.inspect(name)).State.Status;
    // Killed between its creation and its start: what was created can be started.
    if (state === "created") await this.#rig.commands.ok(["start", name]);
    const waited = await this.#api.wait(name);
    if (waited !== job.code) throw new Error(`wait answered ${waited} for ${name}, which was ${state}`);
    const { State, LogPath } = await this.#api.inspect(name);
    const shown = `${State.Status} ${State.ExitCode} ${State.Pid}`;
    if (shown !== `exited ${job.code} 0`) throw new Error(`inspect shows ${shown}`);
    for (const [source, text] of [
      ["its log", await this.#api.logs(name)],
      ["its log's file", readJsonLog(LogPath)],
    ] as const) {
      // A start that was interrupted may have begun to print.
      const { last } = checkCount(`${source} of ${name}`, text, { from: 0, runs: state === "created" ? 2 : 1 });
      if (last !== job.count - 1) throw new Error(`${source} of ${name} ends with ${last} of ${job.count}`);
    }
  }

  async #verifyCounter(kind: string): Promise<void> {
    const name = `soak-${kind}`;
    const from = kind === "plain" ? { from: 0 } : {};
    const { LogPath } = await this.#api.inspect(name);
    const { last } = checkCount(`log of ${name}`, await this.#api.logs(name), from);
    if (kind === "plain") checkCount(`file of ${name}`, readJsonLog(LogPath), from);
    await until(
      `${name} counts on`,
      async () => checkCount(`log of ${name}`, await this.#api.logs(name, 5)).last > last,
    );
  }

  async #verifyVictim(): Promise<void> {
    const { commands } = this.#rig;
    const name = this.#name("victim");
    const status = async (): Promise<string> => (await this.#api.inspect(name)).State.Status;
    if (this.#plan.shimAfterMs !== undefined) {
      await until("the container of a killed shim is reported as ended", async () => (await status()) === "exited");
      if ((await this.#api.wait(name)) === 0) throw new Error("a container whose shim was killed exited with 0");
      checkCount(`log of ${name}`, await this.#api.logs(name), { from: 0 });
      await commands.ok(["start", name]);
    }
    if ((await status()) !== "running") throw new Error(`the victim is ${await status()}`);
    const began = checkCount(`log of ${name}`, await this.#api.logs(name), { from: 0, runs: 2 });
    if (began.last < 0) await until("the victim counts", async () => (await this.#api.logs(name, 1)) !== "");
    await commands.ok(["stop", "-t", "0", name]);
    const code = (await this.#api.inspect(name)).State.ExitCode;
    if (code !== 137) throw new Error(`a stopped container shows ${code}`);
  }

  async #verifyWeb(): Promise<void> {
    const name = this.#name("web");
    if (!(await this.#exists(name))) return;
    const state = (await this.#api.inspect(name)).State.Status;
    if (state === "created") await this.#rig.commands.ok(["start", name]);
    else if (state !== "running") throw new Error(`the server is ${state}`);
    const { Networks, Ports } = (await this.#api.inspect(name)).NetworkSettings;
    for (const host of [`127.0.0.1:${Ports["80/tcp"]?.[0]?.HostPort}`, Networks["bridge"]?.IPAddress]) {
      const url = `http://${host}/passwd`;
      await until(
        `${url} answers`,
        async () =>
          (
            await (await fetch(url, { signal: AbortSignal.timeout(3000), headers: { connection: "close" } })).text()
          ).includes("nobody"),
        5000,
      );
    }
  }

  /** Everything of this round with one command. */
  async #removeAll(): Promise<void> {
    const listed = await this.#api.get<{ Names: string[] }[]>("/containers/json?all=1");
    const own = listed.map(({ Names }) => Names[0]?.slice(1) ?? "").filter((name) => name.startsWith(this.#name("")));
    await this.#rig.commands.ok(["rm", "-f", "-v", ...own]);
  }

  async #verifyImages(): Promise<void> {
    const { commands, pullable } = this.#rig;
    const { commitAfterMs, pullAfterMs } = this.#plan;
    const made: string[] = [];
    if (pullAfterMs !== undefined) {
      await commands.ok(["pull", "-q", pullable]);
      made.push(pullable);
    }
    if (commitAfterMs !== undefined) {
      const image = `${this.#name("commit")}:1`;
      await commands.ok(["commit", "soak-rotated", image]);
      made.push(image);
    }
    if (made.length === 0) return;
    for (const image of made) await commands.ok(["run", "--rm", image, "true"]);
    await commands.ok(["rmi", ...made]);
    // A commit that had no answer may have made an image all the same; now it has no name.
    if (commitAfterMs !== undefined) await commands.ok(["image", "prune", "-f"]);
  }

  async #nothingLeft(): Promise<boolean> {
    const state = await this.#rig.state();
    const found = surplus(state);
    if (state.published.length > 0) found.push(`rules for ports that nobody publishes: ${state.published.join("; ")}`);
    if (state.running.length !== Object.keys(counters).length) found.push(`${state.running.length} containers run`);
    if (found.length > 0) throw new Error(found.join("\n  "));
    return true;
  }
}
