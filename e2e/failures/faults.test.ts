import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { must } from "../host/exec.ts";
import { faultGroups, Faults } from "../host/faults.ts";
import { until } from "../host/until.ts";

const callTimeoutMs = 20_000;

/** How many descriptors a process may have, as prlimit takes it: `soft:hard`. */
function limitOf(pid: number): string {
  const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
  return /Max open files\s+(\d+)\s+(\d+)/.exec(limits)?.slice(1, 3).join(":") ?? "";
}

function limit(pid: number, value: string): Promise<string> {
  return must("prlimit", ["--pid", String(pid), `--nofile=${value}`]);
}

describe("system calls that fail", function () {
  this.bail(true);
  const longshore = new Longshore({ bridge: `lsf${process.pid}`, address: `10.215.${process.pid % 250}.1/24` });
  const faults = new Faults(longshore.dir);
  const audit = join(longshore.dir, "audit.jsonl");
  let pids: number[] = [];

  before(async function () {
    this.timeout(60_000);
    await faults.build();
    longshore.engine.env = longshore.containerd.env = faults.env;
    writeFileSync(
      join(longshore.dir, "daemon.json"),
      // Where earlier versions had the engine's own keys.
      JSON.stringify({ longshore: { "audit-log": { path: audit, reads: true } } }),
    );
    await longshore.start();
    await importBusybox(longshore);
    await longshore.ok(["network", "create", "faulty"]);
    await longshore.ok([
      "run",
      "-d",
      "--name",
      "steady",
      "--network",
      "faulty",
      "-p",
      "127.0.0.1::80",
      "--health-cmd",
      "true",
      "--health-interval",
      "1s",
      "busybox",
      "sh",
      "-c",
      "while :; do echo line; sleep 0.2; done",
    ]);
    pids = [longshore.engine.pid, longshore.containerd.pid];
  });
  after(async function () {
    this.timeout(60_000);
    faults.disarm();
    await longshore.docker(["rm", "-f", "steady"]);
    await longshore.docker(["network", "rm", "faulty"]);
    await longshore.dispose();
    faults.close();
  });

  /** One request on a connection of its own. @returns its status, 0 when the connection broke; rejects when nothing happens at all */
  function call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers =
        text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
      const asked = request(
        {
          socketPath: longshore.host.slice("unix://".length),
          method,
          path,
          headers,
          agent: false,
          timeout: callTimeoutMs,
        },
        (response) => {
          let answer = "";
          const done = (): void => resolve({ status: response.statusCode ?? 0, text: answer });
          response.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
          response.once("end", done).once("close", done).on("error", done);
        },
      );
      asked.once("timeout", () => reject(new Error(`${method} ${path} hangs`)));
      asked.once("error", () => resolve({ status: 0, text: "" }));
      asked.end(text);
    });
  }

  /** What clients do; how it ends is no matter here. */
  async function work(): Promise<void> {
    const life = async (): Promise<void> => {
      const { status, text } = await call("POST", "/containers/create", {
        Image: "busybox",
        Cmd: ["sleep", "60"],
        Labels: { fault: "1" },
      });
      if (status !== 201) return;
      const { Id } = JSON.parse(text) as { Id: string };
      await call("POST", `/containers/${Id}/start`);
      const exec = await call("POST", `/containers/${Id}/exec`, { Cmd: ["echo", "x"], AttachStdout: true });
      if (exec.status === 201) await call("POST", `/exec/${(JSON.parse(exec.text) as { Id: string }).Id}/start`, {});
      await call("GET", `/containers/${Id}/archive?path=/bin/sh`);
      await call("DELETE", `/containers/${Id}?force=1&v=1`);
    };
    const looks = [
      "/_ping",
      "/_ping",
      "/_ping",
      "/_ping",
      "/info",
      "/containers/json?all=1&size=1",
      "/images/json",
      "/volumes",
      "/networks",
      "/containers/steady/logs?stdout=1&tail=5",
      "/containers/steady/top",
      "/containers/steady/changes",
    ];
    const volume = async (): Promise<void> => {
      const { status, text } = await call("POST", "/volumes/create", {});
      if (status === 201) await call("DELETE", `/volumes/${(JSON.parse(text) as { Name: string }).Name}`);
    };
    await Promise.all([life(), volume(), ...looks.map((path) => call("GET", path))]);
  }

  async function alive(about: string): Promise<void> {
    const log = (): string =>
      [longshore.engine, longshore.containerd]
        .flatMap((daemon) =>
          readFileSync(daemon.log, "utf8")
            .split("\n")
            .filter((line) => line.includes('"fatal"') || !line.startsWith("{")),
        )
        .slice(-5)
        .join("\n");
    assert.ok(longshore.engine.running && longshore.containerd.running, `a daemon ended: ${about}\n${log()}`);
    await until(
      `the engine serves: ${about}`,
      async () =>
        (await call("GET", "/containers/json")).status === 200 && (await call("GET", "/images/json")).status === 200,
    );
  }

  for (const group of faultGroups) {
    it(`${group}: requests fail, daemons do not`, async function () {
      this.timeout(60_000);
      faults.arm(group, 12);
      await work();
      faults.disarm();
      await alive(group);
    });
  }

  function isProxy(pid: string): boolean {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      return line.includes("proxy") && line.includes(longshore.dir);
    } catch {
      return false;
    }
  }

  /**
   * More connections than there are descriptors, of clients that stay and come again when they are turned away: one takes
   * the last, and what the audit log looks up for it finds none.
   */
  async function crowd(size: number): Promise<void> {
    const sockets = new Set<Socket>();
    let answered = 0;
    let over = false;
    const join = (): void => {
      const socket = connect(longshore.host.slice("unix://".length));
      sockets.add(socket);
      socket
        .on("error", () => undefined)
        .once("data", () => answered++)
        .once("close", () => {
          sockets.delete(socket);
          // Not at once: with none left the engine turns everybody away as fast as they come.
          if (!over) setTimeout(join, 50).unref();
        })
        .write("GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n");
    };
    for (let count = 0; count < size; count++) join();
    try {
      await until("some of them are served", () => answered > 0 || !longshore.engine.running);
    } finally {
      over = true;
      for (const socket of sockets) socket.destroy();
    }
  }

  it("no descriptor left: the same, for the daemons, the proxy and a container's shim", async function () {
    this.timeout(60_000);
    const { Pid } = (await longshore.api.inspect("steady")).State;
    const shim = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${Pid}/status`, "utf8"))?.[1]);
    const proxies = readdirSync("/proc")
      .filter((pid) => /^\d+$/.test(pid) && isProxy(pid))
      .map(Number);
    assert.equal(proxies.length, 1);
    const shimsAndProxy = [shim, ...proxies];
    const all = [...pids, ...shimsAndProxy];
    const limits = new Map(all.map((pid) => [pid, limitOf(pid)]));
    // A few are left: with none at all, there is nothing that could be served.
    for (const pid of all) await limit(pid, `${Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number)) + 5}:`);
    try {
      await Promise.all([work(), work(), crowd(300)]);
    } finally {
      for (const [pid, value] of limits)
        await limit(pid, value).catch(() =>
          assert.fail(`${pid === shim ? "the shim" : pid === proxies[0] ? "the proxy" : "a daemon"} ended`),
        );
    }
    await alive("no descriptor left");
    for (const pid of shimsAndProxy) process.kill(pid, 0);
  });

  it("more clients than the engine has descriptors, with an audit log: it serves on", async function () {
    this.timeout(60_000);
    const { pid } = longshore.engine;
    const before = limitOf(pid);
    await limit(pid, "256:");
    try {
      await crowd(600);
    } finally {
      await limit(pid, before);
    }
    await alive("more clients than descriptors");
  });

  it("nothing was lost: the container runs on, new ones start, and what failed leaves nothing", async function () {
    this.timeout(60_000);
    assert.deepEqual([longshore.engine.pid, longshore.containerd.pid], pids);
    assert.equal(await longshore.ok(["inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "steady"]), "running 0");
    const left = (await longshore.ok(["ps", "-aq", "--filter", "label=fault"])).split("\n").filter((id) => id !== "");
    if (left.length > 0) await longshore.ok(["rm", "-fv", ...left]);
    assert.equal(await longshore.ok(["run", "--rm", "--network", "faulty", "busybox", "echo", "works"]), "works");
    const lines = (await longshore.api.logs("steady")).trim().split("\n");
    assert.ok(lines.length > 10 && lines.every((line) => line === "line"));
    // Each line of the audit log is whole, whatever failed.
    for (const line of readFileSync(audit, "utf8").trim().split("\n")) if (line !== "") JSON.parse(line);
  });
});
