import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { repository } from "../engine/tools.ts";
import { exec, must } from "../host/exec.ts";

describe("damaged state: set aside and reported, the rest works", () => {
  let longshore: Longshore;
  let data: string;
  let snapshotter: string;

  beforeEach(async function () {
    this.timeout(60_000);
    longshore = new Longshore({ bridge: `lsd${process.pid}`, address: `10.215.${process.pid % 250}.1/24` });
    data = join(longshore.dir, "data");
    snapshotter = join(longshore.dir, "containerd/io.containerd.snapshotter.v1.overlayfs");
    await longshore.start();
    await importBusybox(longshore);
    await longshore.ok(["run", "-d", "--name", "witness", "busybox", "sh", "-c", "echo said; sleep 300"]);
    await longshore.ok(["create", "--name", "other", "busybox", "cat", "/etc/passwd"]);
  });
  afterEach(async function () {
    this.timeout(60_000);
    const ids = (await longshore.docker(["ps", "-aq"])).stdout.split("\n").filter(Boolean);
    await longshore.docker(["rm", "-f", ...ids]);
    await longshore.docker(["network", "prune", "-f"]);
    await longshore.dispose();
  });

  /** Damages what is stored while both daemons are away. */
  async function damaged(change: () => void | Promise<void>): Promise<void> {
    await longshore.engine.stop();
    await longshore.containerd.stop();
    await change();
    await longshore.containerd.start();
    await longshore.engine.start();
  }

  async function reported(what: RegExp, log: string): Promise<void> {
    assert.match(await longshore.ok(["info", "-f", "{{json .Warnings}}"]), what);
    assert.match((await longshore.docker(["info"])).stderr, what);
    assert.match(readFileSync(log, "utf8"), /set aside/);
  }

  async function theRestWorks(): Promise<void> {
    assert.equal(await longshore.ok(["exec", "witness", "echo", "alive"]), "alive");
    assert.equal(await longshore.ok(["logs", "witness"]), "said");
    assert.equal(await longshore.ok(["run", "--rm", "busybox", "echo", "new"]), "new");
  }

  it("a container's record: nothing of it is taken away", async () => {
    const id = await longshore.ok(["run", "-d", "--name", "hurt", "busybox", "sleep", "300"]);
    const pid = await longshore.ok(["inspect", "-f", "{{.State.Pid}}", "hurt"]);
    const file = join(data, "containers", id, "config.v2.json");
    const text = readFileSync(file);
    await damaged(() => truncateSync(file, 20));
    await reported(new RegExp(`container ${id.slice(0, 12)} was damaged`), longshore.engine.log);
    await theRestWorks();
    assert.equal((await longshore.docker(["inspect", "hurt"])).code, 1);
    process.kill(Number(pid), 0);
    // Repaired and put back, it is there again.
    await damaged(async () => {
      const [name = ""] = readdirSync(join(data, "damaged"));
      await must("mv", [join(data, "damaged", name), join(data, "containers", id)]);
      writeFileSync(file, text);
    });
    assert.equal(await longshore.ok(["inspect", "-f", "{{.State.Pid}} {{.State.Running}}", "hurt"]), `${pid} true`);
    assert.equal(await longshore.ok(["exec", "hurt", "echo", "back"]), "back");
    assert.doesNotMatch(await longshore.ok(["info", "-f", "{{json .Warnings}}"]), /damaged/);
  });

  it("Docker's own records of containers, and such with anything in the place of a member: each comes up or is set aside", async () => {
    const docker = JSON.parse(
      readFileSync(join(repository, "packages/engine/containers/src/records/testdata/docker-28.5.json"), "utf8"),
    ) as Record<string, { config: object; hostConfig: object }>;
    const strange = [
      null,
      0,
      -1,
      "",
      "\0",
      "a:b:c",
      "../../etc",
      "container:x",
      [],
      [null],
      ["a:b", "\0"],
      {},
      { "\0": {} },
      { a: { Type: "volume", Name: "../x", Destination: "/\0" } },
    ];
    const records = Object.values(docker).flatMap(({ config, hostConfig }, number) => {
      const change = (tree: object, at: number): object => {
        const keys = Object.keys(tree);
        return { ...tree, [keys[at % keys.length] ?? ""]: strange[at % strange.length] };
      };
      const odd = Array.from({ length: 8 }, (_, index) => ({
        config: change(config, number * 8 + index),
        hostConfig: change(hostConfig, number * 11 + index * 5),
      }));
      const settings = Object.keys((config as { Config: object }).Config).slice(number * 2, number * 2 + 4);
      const odder = settings.map((key, index) => ({
        config: {
          ...config,
          Config: { ...(config as { Config: object }).Config, [key]: strange[(index + number) % strange.length] },
        },
        hostConfig,
      }));
      return [{ config, hostConfig }, ...odd, ...odder];
    });
    await damaged(() => {
      for (const [index, { config, hostConfig }] of records.entries()) {
        const id = `aaaa${(index + 1).toString(16).padStart(60, "0")}`;
        mkdirSync(join(data, "containers", id));
        const { Name } = config as { Name: unknown };
        writeFileSync(
          join(data, "containers", id, "config.v2.json"),
          JSON.stringify({
            ...config,
            ID: id,
            ...(typeof Name === "string" && Name !== "" ? { Name: `${Name}-${index}` } : {}),
          }),
        );
        writeFileSync(join(data, "containers", id, "hostconfig.json"), JSON.stringify(hostConfig));
      }
    });
    const up = (await longshore.ok(["ps", "-aq", "--no-trunc"])).split("\n").filter((id) => id.startsWith("aaaa"));
    const aside = readdirSync(join(data, "damaged"));
    assert.equal(up.length + aside.length, records.length);
    assert.ok(up.length > 20 && aside.length > 20, `${up.length} came up, ${aside.length} were set aside`);
    const shown = JSON.parse(await longshore.ok(["inspect", ...up])) as {
      Id: string;
      Name: string;
      State: { Running: boolean; Status: string };
    }[];
    assert.equal(shown.length, up.length);
    const run = shown.find(({ Name }) => Name.startsWith("/c-exited-"));
    assert.match((await longshore.docker(["start", run?.Id ?? ""])).stderr, /Error response from daemon: .+/);
    await longshore.docker(["logs", run?.Id ?? ""]);
    await longshore.ok(["rm", "-f", ...up]);
    await theRestWorks();
  });

  it("records of a network and a volume", async () => {
    await longshore.ok(["volume", "create", "--label", "a=b", "vol"]);
    await longshore.ok(["volume", "create", "--label", "a=b", "whole"]);
    await longshore.ok(["run", "--rm", "-v", "vol:/v", "busybox", "sh", "-c", "echo kept > /v/file"]);
    const net = await longshore.ok(["network", "create", "net"]);
    await longshore.ok(["network", "create", "good"]);
    await damaged(async () => {
      writeFileSync(join(data, "volumes/vol/volume.json"), "{");
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(join(data, "network/files/local.db"));
      database.exec("UPDATE networks SET record = '{broken' WHERE record LIKE '%\"name\":\"net\"%'");
      database.close();
    });
    await reported(/volume vol was damaged/, longshore.engine.log);
    await reported(new RegExp(net), longshore.engine.log);
    await theRestWorks();
    assert.equal(await longshore.ok(["run", "--rm", "-v", "vol:/v", "busybox", "cat", "/v/file"]), "kept");
    assert.equal(await longshore.ok(["volume", "inspect", "-f", "{{.Labels}}", "whole"]), "map[a:b]");
    assert.equal(await longshore.ok(["network", "ls", "-q", "--filter", "name=net"]), "");
    await longshore.ok(["network", "create", "net"]);
    assert.equal(await longshore.ok(["run", "--rm", "--network", "good", "busybox", "echo", "in"]), "in");
    await exec("ip", ["link", "delete", `br-${net.slice(0, 12)}`]);
  });

  it("containerd's database: what runs goes on, and can be removed", async () => {
    await longshore.ok(["run", "-d", "--name", "paused", "busybox", "sleep", "300"]);
    await longshore.ok(["pause", "paused"]);
    await damaged(() =>
      writeFileSync(
        join(longshore.dir, "containerd/io.containerd.metadata.v1.sqlite/meta.db"),
        "no database ".repeat(1000),
      ),
    );
    await reported(/the metadata database was damaged/, longshore.containerd.log);
    // Its specification is lost: what is started in it anew would be wrong.
    assert.equal((await longshore.docker(["exec", "witness", "true"])).code, 126);
    assert.equal(await longshore.ok(["logs", "witness"]), "said");
    const start = await longshore.docker(["start", "other"], { timeoutMs: 10_000 });
    assert.equal(start.code, 1);
    assert.match(start.stderr, /other|not found|does not exist/);
    for (const args of [
      ["rm", "-f", "witness"],
      ["rm", "-f", "paused"],
      ["rm", "other"],
    ]) {
      const { code, stderr } = await longshore.docker(args, { timeoutMs: 10_000 });
      assert.deepEqual({ args, code, stderr }, { args, code: 0, stderr: "" });
    }
    assert.equal(await longshore.ok(["ps", "-aq"]), "");
    await importBusybox(longshore, "again");
    assert.equal(await longshore.ok(["run", "--rm", "again", "echo", "new"]), "new");
  });

  it("the database of snapshots", async () => {
    await damaged(() => writeFileSync(join(snapshotter, "metadata.db"), "no database ".repeat(1000)));
    await reported(/the database of snapshots was damaged/, longshore.containerd.log);
    assert.equal(await longshore.ok(["exec", "witness", "echo", "alive"]), "alive");
    await importBusybox(longshore, "again");
    assert.equal(await longshore.ok(["run", "--rm", "again", "echo", "new"]), "new");
    // A folder whose record is lost may hold what a container wrote.
    assert.ok(readdirSync(join(snapshotter, "snapshots")).length > 3);
  });

  it("folders of snapshots: an image's are made anew, a container's are gone for good", async () => {
    await longshore.ok(["rm", "-f", "witness"]);
    await damaged(() => {
      for (const name of readdirSync(join(snapshotter, "snapshots")))
        rmSync(join(snapshotter, "snapshots", name), { recursive: true });
    });
    await reported(/snapshot .* was set aside/, longshore.containerd.log);
    assert.equal(await longshore.ok(["run", "--rm", "busybox", "echo", "new"]), "new");
    const start = await longshore.docker(["start", "other"]);
    assert.equal(start.code, 1);
    assert.match(start.stderr, /snapshot .* does not exist/);
    await longshore.ok(["rm", "other"]);
    await damaged(() => undefined);
    assert.doesNotMatch(await longshore.ok(["info", "-f", "{{json .Warnings}}"]), /set aside/);
  });

  it("layers that were not on the disk when the machine went down are unpacked again, and nothing is told: nothing was lost", async () => {
    await longshore.ok(["save", "-o", join(longshore.dir, "busybox.tar"), "busybox"]);
    await longshore.ok(["rm", "-f", "witness", "other"]);
    await longshore.ok(["rmi", "busybox"]);
    await longshore.ok(["load", "-q", "-i", join(longshore.dir, "busybox.tar")]);
    await damaged(async () => {
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(join(snapshotter, "metadata.db"));
      for (const row of database.prepare("SELECT id FROM snapshots").all()) {
        database
          .prepare(
            "UPDATE snapshots SET labels = json_set(labels, '$.\"longshore.unsynced\"', 'another boot') WHERE id = ?",
          )
          .run(row["id"] ?? 0);
        truncateSync(join(snapshotter, "snapshots", String(row["id"]), "fs/etc/passwd"));
      }
      database.close();
    });
    assert.match(await longshore.ok(["run", "--rm", "busybox", "cat", "/etc/passwd"]), /nobody/);
    assert.doesNotMatch(await longshore.ok(["info", "-f", "{{json .Warnings}}"]), /set aside/);
  });

  it("a log that cannot be read", async () => {
    const path = await longshore.ok(["inspect", "-f", "{{.LogPath}}", "other"]);
    await longshore.ok(["start", "-a", "other"]);
    await damaged(() => writeFileSync(path, "\u0000\u0001 no log at all\n".repeat(100)));
    const { code, stdout } = await longshore.docker(["logs", "other"]);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
    assert.match(await longshore.ok(["start", "-a", "other"]), /root:/);
    assert.match(await longshore.ok(["logs", "other"]), /root:/);
    const warnings = await longshore.ok(["info", "-f", "{{json .Warnings}}"]);
    assert.match(warnings, /the log of container .* was damaged: .*-json\.log: 100 of its lines are no records/);
    await theRestWorks();
  });

  it("a rotated log that was cut off, and a directory in the place of the live one: the rest is read, and a start logs again", async () => {
    const print = [
      "sh",
      "-c",
      "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); [ $((i % 500)) != 0 ] || sleep 0.2; done",
    ];
    await longshore.ok([
      "run",
      "--name",
      "hurt",
      "--log-opt",
      "max-size=20k",
      "--log-opt",
      "max-file=20",
      "--log-opt",
      "compress=true",
      "busybox",
      ...print,
    ]);
    const path = await longshore.ok(["inspect", "-f", "{{.LogPath}}", "hurt"]);
    const before = (await longshore.ok(["logs", "hurt"])).split("\n");
    assert.equal(before.length, 2000);
    await damaged(() => {
      const compressed = readdirSync(dirname(path)).filter((name) => name.endsWith(".gz"));
      truncateSync(join(dirname(path), compressed[0] ?? ""), 800);
      rmSync(path);
      mkdirSync(path);
      writeFileSync(join(path, "kept"), "");
    });
    const rest = (await longshore.ok(["logs", "hurt"])).split("\n");
    assert.deepEqual(
      rest.filter((line) => !before.includes(line)),
      [],
    );
    assert.ok(rest.length > 500 && rest.length < 2000, String(rest.length));
    assert.match(
      await longshore.ok(["info", "-f", "{{json .Warnings}}"]),
      /-json\.log: it is no file.*log\.\d+\.gz: it ends too early/,
    );
    assert.match(readFileSync(longshore.engine.log, "utf8"), /a log cannot be read whole/);
    await longshore.ok(["start", "-a", "hurt"]);
    assert.equal(await longshore.ok(["logs", "--tail", "1", "hurt"]), "line 1999");
    await reported(/-json\.log\.\d+\.aside: it was in the log's place and was set aside/, longshore.engine.log);
    const aside = readdirSync(dirname(path)).find((name) => name.endsWith(".aside")) ?? "";
    assert.deepEqual(readdirSync(join(dirname(path), aside)), ["kept"]);
    await damaged(() => undefined);
    await reported(/was set aside/, longshore.engine.log);
    await theRestWorks();
    await longshore.ok(["rm", "hurt"]);
    assert.doesNotMatch(await longshore.ok(["info", "-f", "{{json .Warnings}}"]), /damaged/);
  });
});
