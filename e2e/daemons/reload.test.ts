import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { until } from "../host/until.ts";

describe("SIGHUP", () => {
  const rig = new Longshore({ bridge: `lsh${process.pid}`, address: `10.214.${process.pid % 250}.1/24` });
  const file = join(rig.dir, "daemon.json");
  const ownFile = join(rig.dir, "engine.json");
  let began = 0;
  before(() => {
    began = Date.now() / 1000 - 1;
    return rig.start();
  });
  after(() => rig.dispose());

  const events = async (): Promise<{ Actor: { Attributes: Record<string, string> } }[]> => {
    const lines = await rig.ok([
      "events",
      "--since",
      String(began),
      "--until",
      "0s",
      "--filter",
      "event=reload",
      "--filter",
      "type=daemon",
      "--format",
      "{{json .}}",
    ]);
    return lines
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as never);
  };

  async function hangup(config: object, own = {}): Promise<void> {
    const count = (await events()).length;
    writeFileSync(file, JSON.stringify(config));
    writeFileSync(ownFile, JSON.stringify(own));
    process.kill(rig.engine.pid, "SIGHUP");
    await until("the reload is told", async () => (await events()).length > count);
  }

  it("puts what needs no restart into force and tells it in an event", async () => {
    const runtime = join(rig.dir, "noted-runc");
    writeFileSync(runtime, `#!/bin/sh\necho "$@" >>${rig.dir}/noted\nexec runc "$@"\n`);
    chmodSync(runtime, 0o755);
    await hangup({
      labels: ["tier=one"],
      debug: true,
      "shutdown-timeout": 7,
      "max-concurrent-downloads": 9,
      "registry-mirrors": ["https://mirror.example/"],
      "insecure-registries": ["plain.example:5000"],
      runtimes: { noted: { path: runtime } },
      "default-runtime": "noted",
      "log-driver": "local",
    });
    const { name: _name, "default-cgroupns-mode": _mode, ...told } = (await events()).at(-1)?.Actor.Attributes ?? {};
    assert.deepEqual(told, {
      debug: "true",
      "default-ipc-mode": "private",
      "default-runtime": "noted",
      "default-shm-size": "67108864",
      features: "map[]",
      "insecure-registries": '["plain.example:5000"]',
      labels: '["tier=one"]',
      "live-restore": "true",
      "max-concurrent-downloads": "9",
      "max-concurrent-uploads": "5",
      "max-download-attempts": "5",
      "registry-mirrors": '["https://mirror.example/"]',
      runtimes: `noted:${runtime}`,
      "shutdown-timeout": "7",
    });
    assert.equal(
      await rig.ok([
        "info",
        "-f",
        "{{json .Labels}} {{.Debug}} {{.DefaultRuntime}} {{.RegistryConfig.Mirrors}} {{.LoggingDriver}}",
      ]),
      '["tier=one"] true noted [https://mirror.example/] json-file',
    );
    await importBusybox(rig);
    assert.equal(await rig.ok(["run", "--rm", "busybox", "echo", "by it"]), "by it");
    assert.match(readFileSync(join(rig.dir, "noted"), "utf8"), /create/);
  });

  it("sets labels back that the file no longer has, and keeps the runtimes", async () => {
    await hangup({});
    assert.equal(await rig.ok(["info", "-f", "{{json .Labels}} {{.Debug}} {{.DefaultRuntime}}"]), "[] true noted");
  });

  it("turns the audit log on and off by the engine's own file", async () => {
    const log = join(rig.dir, "audit.jsonl");
    await hangup(
      {},
      { "audit-log": { path: log }, sockets: [{ path: join(rig.dir, "more.sock"), "read-only": true }] },
    );
    await rig.ok(["volume", "create", "recorded"]);
    await hangup({});
    await rig.ok(["volume", "rm", "recorded"]);
    const lines = readFileSync(log, "utf8").split("\n").filter(Boolean);
    assert.ok(lines.some((line) => line.includes("/volumes/create")) && !lines.some((line) => line.includes("DELETE")));
    assert.match(readFileSync(rig.engine.log, "utf8"), /other sockets are opened by a restart only/);
  });

  it("a file that is wrong changes nothing", async () => {
    const before = readFileSync(rig.engine.log, "utf8").length;
    for (const [wrong, why, own = "{}"] of [
      ["{", "invalid JSON"],
      ['{"labels":["tier=two"]}', "must be an absolute path: log", '{"audit-log":{"path":"log"}}'],
      [
        '{"labels":["tier=two"],"longshore":{"max-unpacked-size":"1GB"}}',
        "specified both",
        '{"max-unpacked-size":"2GB"}',
      ],
      ['{"labels":["tier=two"],"nonsense":1}', "nonsense"],
      ['{"labels":["tier=two"],"default-runtime":"nowhere"}', "specified default runtime 'nowhere' does not exist"],
    ] as const) {
      writeFileSync(file, wrong);
      writeFileSync(ownFile, own);
      process.kill(rig.engine.pid, "SIGHUP");
      await until("the refusal is logged", () => readFileSync(rig.engine.log, "utf8").slice(before).includes(why));
    }
    assert.equal(await rig.ok(["info", "-f", "{{json .Labels}} {{.DefaultRuntime}}"]), "[] noted");
  });
});
