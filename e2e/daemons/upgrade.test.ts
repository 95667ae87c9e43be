import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { repository, tool } from "../engine/tools.ts";
import { type ExecOptions, type Result, exec, must } from "../host/exec.ts";

describe("npm start of a newer checkout", () => {
  const bridge = `lsu${process.pid}`;
  const gateway = `10.217.${process.pid % 250}.1`;
  const home = mkdtempSync("/tmp/longshore-");
  const env = {
    LONGSHORE_HOME: home,
    DOCKER_HOST: `unix://${join(home, "docker.sock")}`,
    DOCKER_CONFIG: join(home, "client"),
  };
  const docker = (args: readonly string[], options: ExecOptions = {}): Promise<Result> =>
    exec(tool("docker"), args, { ...options, env });
  const ok = async (args: readonly string[], options: ExecOptions = {}): Promise<string> =>
    (await must(tool("docker"), args, { ...options, env })).replace(/\n$/, "");

  /** Another checkout with the same content: what is written there stays there. It counts as set up. */
  async function checkout(name: string): Promise<string> {
    const at = (part: string): string => join(home, name, part);
    for (const part of ["tree", "upper", "work"]) mkdirSync(at(part), { recursive: true });
    await must("mount", [
      "-t",
      "overlay",
      "overlay",
      "-o",
      `lowerdir=${repository},upperdir=${at("upper")},workdir=${at("work")}`,
      at("tree"),
    ]);
    writeFileSync(at("tree/scripts/setup"), "exit 0\n");
    return at("tree");
  }
  const script = (tree: string, name: "start" | "stop"): Promise<string> =>
    must("bash", [join(tree, "scripts", name)], { env });
  const pids = (): number[] =>
    ["containerd", "dockerd"].map((name) => Number(readFileSync(join(home, "run", `${name}.pid`), "utf8")));
  const programs = (): string[] => pids().map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  let trees: string[];
  let port: number;
  const enough = new AbortController();

  before(async function () {
    this.timeout(60_000);
    await must("ip", ["link", "add", bridge, "type", "bridge"]);
    await must("ip", ["address", "add", `${gateway}/24`, "dev", bridge]);
    await must("ip", ["link", "set", bridge, "up"]);
    writeFileSync(join(home, "daemon.json"), JSON.stringify({ bridge }));
    mkdirSync(join(home, "client"));
    trees = [await checkout("older"), await checkout("newer")];
    await script(trees[0] ?? "", "start");
    await importBusybox({ ok });
    await ok([
      "run",
      "-d",
      "--name",
      "web",
      "-p",
      "80",
      "busybox",
      "sh",
      "-c",
      "echo served >/tmp/index.html; exec httpd -f -p 80 -h /tmp",
    ]);
    await ok(["run", "-d", "--name", "echo", "-p", "7", "busybox", "nc", "-l", "-p", "7", "-e", "cat"]);
    await ok([
      "run",
      "-di",
      "--name",
      "counter",
      "busybox",
      "sh",
      "-c",
      "(while :; do i=$((i+1)); echo $i; usleep 50000; done) & read go; exit 5",
    ]);
    port = Number((await ok(["port", "web", "80"])).split("\n")[0]?.split(":").pop());
  });
  after(async function () {
    this.timeout(60_000);
    enough.abort();
    await docker(["rm", "-f", "web", "echo", "counter"]);
    for (const tree of trees) await script(tree, "stop");
    for (const tree of trees) await must("umount", ["-l", tree]);
    await exec("ip", ["link", "delete", bridge]);
    rmSync(home, { recursive: true, force: true });
  });

  /** One request on a connection of its own. */
  function request(host: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = get({ host, port, path: "/", agent: new Agent({ keepAlive: false }), timeout: 1000 }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => resolve(body)).on("error", reject);
      });
      call.on("timeout", () => call.destroy(new Error("no answer within a second"))).on("error", reject);
    });
  }

  /** Asks ten times a second until it is told to stop. @returns how it went each time */
  async function ask(host: string, signal: AbortSignal): Promise<string[]> {
    const answers: Promise<string>[] = [];
    while (!signal.aborted) {
      answers.push(request(host).catch((error: unknown) => String(error)));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return Promise.all(answers);
  }

  async function lines(child: ChildProcess): Promise<string> {
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    await once(child, "close");
    return output;
  }

  it("replaces both daemons, and nobody who uses a published port notices", async function () {
    this.timeout(90_000);
    const clients = ["127.0.0.1", gateway].map((host) => ask(host, enough.signal));
    const echoPort = Number((await ok(["port", "echo", "7"])).split("\n")[0]?.split(":").pop());
    const held = connect(echoPort, "127.0.0.1");
    held.write("before\n");
    assert.equal(String((await once(held, "data"))[0]), "before\n");
    const following = spawn(tool("docker"), ["logs", "-f", "counter"], { env: { ...process.env, ...env } });
    const followed = lines(following);
    const waiting = spawn(tool("docker"), ["wait", "counter"], { env: { ...process.env, ...env } });
    const waited = lines(waiting);
    const attached = spawn(tool("docker"), ["attach", "counter"], {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const attachedOutput = lines(attached);
    const executing = spawn(tool("docker"), ["exec", "-i", "web", "sh", "-c", "echo ready; read go; echo gone"], {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const executed = lines(executing);
    await Promise.all([following, attached, executing].map((client) => once(client.stdout, "data")));
    const [before, oldPrograms] = [pids(), programs()];

    await script(trees[1] ?? "", "start");

    const [after, newPrograms] = [pids(), programs()];
    for (const i of [0, 1]) {
      assert.notEqual(after[i], before[i]);
      assert.match(oldPrograms[i] ?? "", /older/);
      assert.match(newPrograms[i] ?? "", /newer/);
    }
    held.write("after\n");
    assert.equal(String((await once(held, "data"))[0]), "after\n");
    held.destroy();
    enough.abort();
    for (const answers of await Promise.all(clients)) {
      assert.ok(answers.length > 20, `${answers.length} requests`);
      assert.deepEqual(
        answers.filter((answer) => answer !== "served\n"),
        [],
      );
    }
    // Whoever hung on the API is told so, as by dockerd with live-restore, and may come again; the shim's clients stay.
    for (const [client, output] of [
      [following, followed],
      [waiting, waited],
    ] as const) {
      assert.match(await output, /unexpected EOF\n$/);
      assert.equal(client.exitCode, 1);
    }
    executing.stdin.end("go\n");
    assert.equal((await executed).split("\n")[1], "gone");
    const numbers = (await ok(["logs", "counter"])).split("\n").map(Number);
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
    );
    assert.ok(numbers.length > 40, `${numbers.length} lines`);
    attached.stdin.end("go\n");
    assert.match(await attachedOutput, new RegExp(`(^|\n)${numbers.length}\n`));
    assert.equal(await ok(["wait", "counter"]), "5");
    assert.equal(await ok(["run", "--rm", "-p", "80", "busybox", "echo", "new"]), "new");
  });
});
