import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Compose } from "../engine/compose.ts";
import { shared } from "../engine/shared.ts";
import { importSoftware } from "../stock/software.ts";
import { repository } from "../engine/tools.ts";
import { until } from "../host/until.ts";

interface Visit {
  greeting: string;
  rows: number;
  hits: number;
  word: string;
  host: string;
}

describe("docker compose", function () {
  this.timeout(600_000);
  const project = "e2e-shop";
  const folder = mkdtempSync(join(tmpdir(), "compose-"));
  let compose: Compose;

  before(async () => {
    cpSync(join(repository, "e2e/compose/project"), folder, { recursive: true });
    await importSoftware(shared);
    compose = new Compose(shared, project, join(folder, "compose.yaml"));
    await shared.ok(["volume", "create", "e2e-compose-uploads"]);
    await compose.ok(["up", "-d", "--wait"]);
  });
  after(async () => {
    await compose.run(["--profile", "*", "down", "-v", "-t", "1", "--remove-orphans"]);
    await shared.docker(["volume", "rm", "-f", "e2e-compose-uploads"]);
    rmSync(folder, { recursive: true });
  });

  async function visit(): Promise<Visit> {
    const response = await fetch(`http://${await compose.ok(["port", "web", "80"])}/`);
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    return (await response.json()) as Visit;
  }
  const states = async (...args: string[]): Promise<string[]> =>
    (await compose.ok(["ps", "-a", "--format", "{{.Service}} {{.State}} {{.Health}} {{.ExitCode}}", ...args]))
      .split("\n")
      .sort();

  /** What a command has printed so far. */
  function collect(child: ChildProcess): () => string {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    return () => text;
  }
  async function interrupt(child: ChildProcess): Promise<void> {
    const ended = once(child, "exit");
    child.kill("SIGINT");
    await ended;
  }

  it("up --wait brings services up in the order of their conditions", async () => {
    assert.deepEqual(await states(), [
      "api running healthy 0",
      "cache running healthy 0",
      "db running healthy 0",
      "migrate exited  0",
      "web running  0",
    ]);
    const started = async (service: string): Promise<number> =>
      Date.parse(await shared.ok(["inspect", "-f", "{{.State.StartedAt}}", `${project}-${service}-1`]));
    const finished = Date.parse(await shared.ok(["inspect", "-f", "{{.State.FinishedAt}}", `${project}-migrate-1`]));
    assert.ok(
      (await started("db")) < (await started("migrate")) &&
        finished < (await started("api")) &&
        (await started("api")) < (await started("web")),
    );
  });

  it("a visit passes nginx, Node, PostgreSQL and Redis; secrets and configs are files", async () => {
    const { greeting, rows, hits, word } = await visit();
    assert.deepEqual([greeting, rows, hits, word], ["hello", 1, 1, "open sesame"]);
    assert.equal(
      await compose.ok(["exec", "-T", "web", "hostname", "-I"]).then((text) => text.includes("10.233.7.10")),
      true,
    );
    assert.match(await compose.ok(["exec", "-T", "db", "cat", "/etc/hba.conf"]), /trust/);
  });

  it("the internal network lets nobody out", async () => {
    const { code } = await compose.run(["exec", "-T", "cache", "curl", "-s", "--max-time", "2", "http://10.233.7.1/"]);
    assert.notEqual(code, 0);
  });

  it("logs -f follows all services until Ctrl-C", async () => {
    const logs = compose.start(["logs", "-f", "--no-color", "api", "web"]);
    const text = collect(logs);
    await until("what was printed before is there", () => text().includes("api is up"));
    const { hits } = await visit();
    await until(
      "the new line comes",
      () => new RegExp(`api-1 +\\| visit ${hits}\\n`).test(text()) && /web-1 +\| .*GET \/ HTTP/.test(text()),
    );
    await interrupt(logs);
  });

  it("exec, run, ps, top, stats and images", async () => {
    assert.equal(
      await compose.ok([
        "exec",
        "-T",
        "-e",
        "X=y",
        "-u",
        "nobody",
        "-w",
        "/tmp",
        "api",
        "sh",
        "-c",
        "echo $X $(id -un) $(pwd)",
      ]),
      "y nobody /tmp",
    );
    const run = await compose.run([
      "run",
      "--rm",
      "-T",
      "--no-deps",
      "-e",
      "X=z",
      "migrate",
      "sh",
      "-c",
      "echo $X; exit 3",
    ]);
    assert.deepEqual([run.code, run.stdout], [3, "z\n"], run.stderr);
    assert.match(await compose.ok(["top", "web"]), /nginx: master process/);
    assert.match(
      await compose.ok(["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", "api"]),
      /^e2e-shop-api-1 .* \/ 256MiB$/,
    );
    assert.match(await compose.ok(["images", "api"]), /e2e-software/);
  });

  it("scaled services share a name, and shrink again", async () => {
    await compose.ok(["up", "-d", "--wait", "--no-recreate", "--scale", "api=3"]);
    const hosts = new Set<string>();
    await until("each replica has answered", async () => hosts.add((await visit()).host).size === 3);
    const answers = await compose.ok(["exec", "-T", "web", "getent", "ahostsv4", "api"]);
    assert.equal(new Set(answers.split("\n").map((line) => line.split(" ", 1)[0])).size, 3);
    await compose.ok(["up", "-d", "--no-recreate", "--scale", "api=1"]);
    assert.equal((await states("api")).length, 1);
  });

  it("restart, pause, stop and start; events tell of them", async () => {
    const events = compose.start(["events", "--json", "cache"]);
    const text = collect(events);
    await until(
      "events flow",
      async () => (await compose.ok(["kill", "-s", "CONT", "cache"]), text().includes('"action":"kill"')),
    );
    await compose.ok(["pause", "cache"]);
    assert.match(await compose.ok(["ps", "cache", "--format", "{{.State}}"]), /^paused$/);
    await compose.ok(["unpause", "cache"]);
    await compose.ok(["restart", "-t", "5", "cache"]);
    await until("the events came", () =>
      ["pause", "unpause", "die", "restart"].every((action) => text().includes(`"action":"${action}"`)),
    );
    await interrupt(events);
    await compose.ok(["stop", "-t", "5", "web"]);
    assert.deepEqual(await states("web"), ["web exited  0"]);
    await compose.ok(["start", "web"]);
    await until("it serves again", async () => (await visit()).greeting === "hello");
  });

  it("cp goes both ways", async () => {
    writeFileSync(join(folder, "in.txt"), "in\n");
    await compose.ok(["cp", join(folder, "in.txt"), "web:/uploads/in.txt"]);
    await compose.ok(["cp", "web:/uploads/in.txt", join(folder, "out.txt")]);
    assert.equal(readFileSync(join(folder, "out.txt"), "utf8"), "in\n");
  });

  it("a profile's services come and go with it", async () => {
    assert.equal(
      (await states()).some((line) => line.startsWith("debug")),
      false,
    );
    await compose.ok(["--profile", "tools", "up", "-d", "--no-recreate", "debug"]);
    assert.equal(
      await compose
        .ok(["exec", "-T", "debug", "nslookup", "database"])
        .then((text) => text.includes("Name:\tdatabase")),
      true,
    );
    await compose.ok(["--profile", "tools", "rm", "-s", "-f", "debug"]);
  });

  it("watch takes a changed file into the container", async () => {
    const file = join(folder, "watched.yaml");
    writeFileSync(
      file,
      `services:\n  site:\n    image: busybox\n    command: sleep 300\n    develop:\n      watch:\n        - { action: sync, path: ./pages, target: /pages }\n`,
    );
    cpSync(join(folder, "word.txt"), join(folder, "pages/word.txt"));
    const watched = new Compose(shared, "e2e-watched", file);
    try {
      await watched.ok(["up", "-d"]);
      const watch = watched.start(["watch", "--no-up"], folder);
      try {
        const text = collect(watch);
        await until("it watches", () => text().includes("Watch enabled") || watch.exitCode !== null);
        // It waits until nothing changes for half a second, and may begin to look a moment after it says so.
        let written = 0;
        await until("the change arrives", async () => {
          if (Date.now() - written > 3000) {
            writeFileSync(join(folder, "pages/word.txt"), "changed\n");
            written = Date.now();
          }
          return (await watched.run(["exec", "-T", "site", "cat", "/pages/word.txt"])).stdout === "changed\n";
        });
        // It attaches to the exec that removes the file, and starts it once more.
        rmSync(join(folder, "pages/word.txt"));
        await until(
          "the file is gone there, too",
          async () => (await watched.run(["exec", "-T", "site", "test", "-e", "/pages/word.txt"])).code === 1,
        );
        assert.doesNotMatch(text(), /Error/);
      } finally {
        await interrupt(watch);
      }
    } finally {
      await watched.run(["down", "-t", "0"]);
    }
  });

  it("a change re-creates what it concerns, keeps the data and leaves no orphan", async () => {
    const ids = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await compose.ok(["ps", "--format", "{{.Service}} {{.ID}}"]))
          .split("\n")
          .map((line) => line.split(" ") as [string, string]),
      );
    const before = await ids();
    const { rows } = await visit();
    await compose.ok(["up", "-d", "--wait"], { env: { GREETING: "ahoy" } });
    const after = await ids();
    assert.notEqual(after["api"], before["api"]);
    assert.deepEqual([after["db"], after["cache"]], [before["db"], before["cache"]]);
    await until("the new one answers", async () => (await visit()).greeting === "ahoy");
    assert.ok((await visit()).rows > rows);
    const yaml = join(folder, "compose.yaml");
    writeFileSync(
      yaml,
      readFileSync(yaml, "utf8")
        .replace(/^ {2}debug:[\s\S]*?\n\n/m, "")
        .replace(/^ {2}web:/m, "  front:"),
    );
    await compose.ok(["up", "-d", "--remove-orphans"], { env: { GREETING: "ahoy" } });
    assert.equal(
      (await states()).some((line) => line.startsWith("web")),
      false,
    );
  });

  it("down -v leaves nothing but what is external", async () => {
    await compose.ok(["down", "-v", "-t", "2", "--remove-orphans"]);
    const label = ["--filter", `label=com.docker.compose.project=${project}`, "-q"];
    for (const list of [
      ["ps", "-a"],
      ["network", "ls"],
      ["volume", "ls"],
    ])
      assert.equal(await shared.ok([...list, ...label]), "", list.join(" "));
    assert.equal(
      await shared.ok(["volume", "ls", "-q", "--filter", "name=e2e-compose-uploads"]),
      "e2e-compose-uploads",
    );
  });
});
