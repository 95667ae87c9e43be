import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { until } from "../host/until.ts";
import { addresses, askUdp, KeptSocket } from "./client.ts";

const queriesPerSecond = 500;

/** The address of a member, by its number. */
const addressOf = (member: number) => `10.217.9.${10 + member}`;

/** Queries under way. */
const mostPending = 32;

/** Asks for the alias of all members again and again, and compares with who is there. */
class Watch {
  asked = 0;
  failed: string[] = [];
  readonly wrong: string[] = [];
  /** Since when each member certainly is there, or is not; those in between are in neither. */
  readonly here = new Map<number, number>();
  readonly gone = new Map<number, number>();
  readonly #pid: number;
  readonly #pending = new Set<Promise<void>>();
  #running = true;

  constructor(pid: number) {
    this.#pid = pid;
  }

  async #ask(): Promise<void> {
    const sent = performance.now();
    this.asked++;
    try {
      const answer = await askUdp(this.#pid, "pool", "A", { timeoutMs: 3000 });
      const found = addresses(answer);
      for (const [member, since] of this.here)
        if (since < sent && !found.includes(addressOf(member)))
          this.wrong.push(`${addressOf(member)} is missing in ${found.join() || (answer as { rcode?: string }).rcode}`);
      for (const [member, since] of this.gone)
        if (since < sent && found.includes(addressOf(member)))
          this.wrong.push(`${addressOf(member)} has gone, but is in ${found.join()}`);
    } catch (error) {
      this.failed.push(String(error));
    }
  }

  async run(): Promise<void> {
    const begin = performance.now();
    while (this.#running) {
      await sleep(2);
      // What a busy machine could not send is not made up for in a burst: that would only overflow the socket.
      while (this.#pending.size < mostPending && this.asked < ((performance.now() - begin) * queriesPerSecond) / 1000) {
        const answer = this.#ask().finally(() => this.#pending.delete(answer));
        this.#pending.add(answer);
      }
    }
    await Promise.all(this.#pending);
  }

  stop(): void {
    this.#running = false;
  }
}

describe("names while containers and daemons come and go", () => {
  const engine = new Longshore({ bridge: `lsn${process.pid}`, address: "10.217.8.1/24" });
  const network = "e2e-changes";
  const members = [0, 1, 2, 3, 4];
  const pidOf = async (name: string) => Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", name]));
  const found = async (name: string) => addresses(await askUdp(await pidOf("asker"), name, "A", { timeoutMs: 1000 }));

  /** Watches while something happens. */
  async function watching(what: (watch: Watch) => Promise<void>): Promise<Watch> {
    const watch = new Watch(await pidOf("asker"));
    for (const member of members) watch.here.set(member, 0);
    const running = watch.run();
    try {
      await what(watch);
    } finally {
      watch.stop();
      await running;
    }
    return watch;
  }

  /** The process that answers; it outlives the engine. */
  function dnsProcess(): number {
    const pids = readdirSync("/proc").filter((entry) => {
      try {
        return (
          /^\d+$/.test(entry) &&
          readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(`${engine.dir}/run/docker/network/proxy.sock`)
        );
      } catch {
        return false;
      }
    });
    assert.equal(pids.length, 1);
    return Number(pids[0]);
  }

  before(async function () {
    this.timeout(120_000);
    await engine.start();
    await importBusybox(engine);
    await engine.ok(["network", "create", "--subnet", "10.217.9.0/24", network]);
    const run = (name: string, ...options: string[]) =>
      engine.ok(["run", "-d", "--name", name, "--network", network, ...options, "busybox", "sleep", "1000"]);
    await run("asker");
    for (const member of members) await run(`m${member}`, "--ip", addressOf(member), "--network-alias", "pool");
  });
  after(async () => {
    await engine.docker(["rm", "-f", "asker", ...members.map((member) => `m${member}`)]);
    await engine.docker(["network", "rm", network]);
    await engine.dispose();
  });

  it("an alias stands for just those that run: from a start's return on, and up to a stop's", async () => {
    const watch = await watching(async (watched) => {
      const { here, gone } = watched;
      const end = performance.now() + 2500;
      const cycle = async (member: number) => {
        while (performance.now() < end || watched.asked <= 600) {
          here.delete(member);
          await engine.ok(["stop", "-t", "0", `m${member}`]);
          gone.set(member, performance.now());
          await sleep(10);
          gone.delete(member);
          await engine.ok(["start", `m${member}`]);
          here.set(member, performance.now());
          await sleep(10);
        }
      };
      await Promise.all([cycle(0), cycle(1), cycle(2)]);
    });
    assert.deepEqual(watch.wrong, []);
    assert.deepEqual(watch.failed, []);
    assert.ok(watch.asked > 600, `${watch.asked} queries`);
  });

  it("are answered while the engine is away, after SIGKILL, and right again as soon as it is back", async () => {
    const watch = await watching(async ({ here, gone }) => {
      await engine.engine.kill();
      await sleep(200);
      here.delete(1);
      process.kill(containerPid(1), "SIGKILL");
      await engine.engine.start();
      gone.set(1, performance.now());
      await sleep(100);
    });
    assert.deepEqual(watch.wrong, []);
    assert.deepEqual(watch.failed, []);
    await engine.ok(["start", "m1"]);
    assert.equal((await found("pool")).length, members.length);
  });

  it("come back soon when the process that answers is killed, also to a client that keeps its socket", async () => {
    const pid = dnsProcess();
    using kept = await KeptSocket.open(await pidOf("asker"));
    const keptFinds = async () => addresses(await kept.ask("m3", "A", { timeoutMs: 1000 })).join() === addressOf(3);
    assert.ok(await keptFinds());
    const watch = await watching(async () => {
      process.kill(pid, "SIGKILL");
      await until("another answers", async () => (await found("pool")).length === members.length);
      assert.notEqual(dnsProcess(), pid);
      assert.ok(await keptFinds());
    });
    assert.deepEqual(watch.wrong, []);
    await Promise.all([engine.engine.kill(), Promise.resolve(process.kill(dnsProcess(), "SIGKILL"))]);
    await engine.engine.start();
    assert.equal((await found("pool")).length, members.length);
    assert.deepEqual(await found("m2"), [addressOf(2)]);
    assert.ok(await keptFinds());
  });

  const pids = new Map<number, number>();
  beforeEach(async () => {
    for (const member of members) pids.set(member, await pidOf(`m${member}`));
  });
  /** Without the engine, which may be away. */
  function containerPid(member: number): number {
    return pids.get(member) ?? assert.fail();
  }
});
