import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";
import { TestPlugin } from "./plugin.ts";

describe("volume driver plugins", () => {
  const root = mkdtempSync(join(tmpdir(), "lsvolplugin-"));
  const volumes = new Set<string>();
  const volume = (name: string) => ({
    Name: name,
    Mountpoint: join(root, name),
    CreatedAt: "2026-01-02T03:04:05Z",
    Status: { kept: "here" },
  });
  const plugin = new TestPlugin("vol", ["VolumeDriver"], {
    "VolumeDriver.Capabilities": () => ({ Capabilities: { Scope: "global" } }),
    "VolumeDriver.Create": ({ Name }) => {
      mkdirSync(join(root, String(Name)), { recursive: true });
      volumes.add(String(Name));
      return { Err: "" };
    },
    "VolumeDriver.Get": ({ Name }) =>
      volumes.has(String(Name)) ? { Volume: volume(String(Name)), Err: "" } : { Err: "no such volume" },
    "VolumeDriver.List": () => ({ Volumes: [...volumes].map(volume), Err: "" }),
    "VolumeDriver.Remove": ({ Name }) => {
      volumes.delete(String(Name));
      return { Err: "" };
    },
    "VolumeDriver.Mount": ({ Name }) => ({ Mountpoint: join(root, String(Name)), Err: "" }),
  });
  const name = "e2e-plugin-volume";
  const container = "e2e-plugin-volume-user";

  before(() => plugin.start());
  beforeEach(() => plugin.calls.splice(0));
  afterEach(async () => {
    await shared.docker(["rm", "-f", "-v", container]);
    await shared.docker(["volume", "rm", "-f", name]);
  });
  after(async () => {
    await plugin.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("create, inspect, ls, rm", async () => {
    assert.equal(await shared.ok(["volume", "create", "-d", plugin.name, "-o", "a=b", "--label", "x=y", name]), name);
    assert.deepEqual(plugin.asked("VolumeDriver.Create"), [{ Name: name, Opts: { a: "b" } }]);
    const [seen] = JSON.parse(await shared.ok(["volume", "inspect", name])) as unknown[];
    assert.deepEqual(seen, {
      CreatedAt: "2026-01-02T03:04:05Z",
      Driver: plugin.name,
      Labels: { x: "y" },
      Mountpoint: join(root, name),
      Name: name,
      Options: { a: "b" },
      Scope: "global",
      Status: { kept: "here" },
    });
    assert.equal(await shared.ok(["volume", "ls", "-q", "--filter", `driver=${plugin.name}`]), name);
    assert.match(await shared.ok(["info", "-f", "{{.Plugins.Volume}}"]), new RegExp(`\\b${plugin.name}\\b`));
    assert.match(
      (await shared.docker(["volume", "create", name])).stderr,
      new RegExp(`create ${name}: driver '${plugin.name}' already has volume '${name}': volume name must be unique`),
    );
    await shared.ok(["volume", "rm", name]);
    assert.equal(volumes.size, 0);
  });

  it("a container uses it: one id for a mount and its unmount", async () => {
    await shared.ok([
      "run",
      "--rm",
      "-v",
      `${name}:/data`,
      "--volume-driver",
      plugin.name,
      "busybox",
      "sh",
      "-c",
      "echo kept > /data/file",
    ]);
    assert.equal(readFileSync(join(root, name, "file"), "utf8"), "kept\n");
    await until("the unmount", () => plugin.asked("VolumeDriver.Unmount").length === 1);
    assert.deepEqual(plugin.asked("VolumeDriver.Mount"), plugin.asked("VolumeDriver.Unmount"));
    assert.equal(
      await shared.ok([
        "run",
        "--rm",
        "--mount",
        `type=volume,source=${name},target=/data,volume-driver=${plugin.name}`,
        "busybox",
        "cat",
        "/data/file",
      ]),
      "kept",
    );
    const id = await shared.ok(["create", "--name", container, "-v", `${name}:/data`, "busybox"]);
    assert.match(
      (await shared.docker(["volume", "rm", name])).stderr,
      new RegExp(`remove ${name}: volume is in use - \\[${id}\\]`),
    );
  });

  it("the plugin's words reach the user", async () => {
    await shared.ok(["volume", "create", "-d", plugin.name, name]);
    const mount = plugin.methods["VolumeDriver.Mount"];
    plugin.methods["VolumeDriver.Mount"] = () => ({ Err: "no disk today" });
    try {
      assert.match(
        (await shared.docker(["run", "--rm", "-v", `${name}:/data`, "busybox", "true"])).stderr,
        /error while mounting volume '': no disk today/,
      );
    } finally {
      if (mount) plugin.methods["VolumeDriver.Mount"] = mount;
    }
    assert.match(
      (await shared.docker(["volume", "create", "-d", "no-such-plugin", "x1"])).stderr,
      /create x1: error looking up volume plugin no-such-plugin: plugin "no-such-plugin" not found/,
    );
  });

  it("a mount outlives a killed engine, and an absent plugin hides no volume", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      container,
      "-v",
      `${name}:/data`,
      "--volume-driver",
      plugin.name,
      "busybox",
      "sleep",
      "1000",
    ]);
    await plugin.stop();
    await shared.engine.kill();
    await shared.engine.start();
    assert.ok((await shared.ok(["volume", "ls", "-q"])).split("\n").includes(name));
    await plugin.start();
    await shared.ok(["rm", "-f", container]);
    await until("the unmount", () => plugin.asked("VolumeDriver.Unmount").length === 1);
    assert.deepEqual(plugin.asked("VolumeDriver.Mount"), plugin.asked("VolumeDriver.Unmount"));
  });

  it("cp reaches the volumes of a container that does not run, mounted for that long", async () => {
    const file = join(root, "copied");
    writeFileSync(file, "kept\n");
    await shared.ok([
      "create",
      "--name",
      container,
      "-v",
      `${name}:/data`,
      "--volume-driver",
      plugin.name,
      "busybox",
      "sleep",
      "1000",
    ]);
    await shared.ok(["cp", file, `${container}:/data/file`]);
    assert.equal(readFileSync(join(root, name, "file"), "utf8"), "kept\n");
    assert.match(await shared.ok(["cp", `${container}:/data/file`, "-"]), /^file\0/);
    assert.ok(plugin.asked("VolumeDriver.Mount").length > 0);
    assert.deepEqual(plugin.asked("VolumeDriver.Mount"), plugin.asked("VolumeDriver.Unmount"));
    const [mount] = JSON.parse(await shared.ok(["inspect", "-f", "{{json .Mounts}}", container])) as unknown[];
    assert.deepEqual(mount, {
      Type: "volume",
      Name: name,
      Source: join(root, name),
      Destination: "/data",
      Driver: plugin.name,
      Mode: "",
      RW: true,
      Propagation: "",
    });
    await shared.ok(["start", container]);
    await shared.ok(["cp", file, `${container}:/data/again`]);
    assert.equal(readFileSync(join(root, name, "again"), "utf8"), "kept\n");
  });

  it("prune and the sizes of df leave plugins' volumes alone", async () => {
    await shared.ok(["volume", "create", "-d", plugin.name, name]);
    assert.ok(!(await shared.ok(["volume", "prune", "-af", "--filter", `label!=none`])).includes(name));
    assert.ok(!(await shared.ok(["system", "df", "-v"])).includes(name));
    assert.equal(
      await shared.ok(["volume", "ls", "-q", "--filter", "dangling=true", "--filter", `driver=${plugin.name}`]),
      name,
    );
    assert.deepEqual(plugin.asked("VolumeDriver.Remove"), []);
  });

  it("a plugin that is away holds nobody up, and hears later that a use has ended", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      container,
      "-v",
      `${name}:/data`,
      "--volume-driver",
      plugin.name,
      "busybox",
      "sleep",
      "1000",
    ]);
    await plugin.stop();
    const began = performance.now();
    await shared.ok(["rm", "-f", container]);
    assert.ok((await shared.ok(["volume", "ls", "-q"])).split("\n").includes(name));
    const away = new RegExp(
      `get ${name}: error while checking if volume "${name}" exists in driver "${plugin.name}": Post .*: connect: no such file or directory`,
    );
    assert.match((await shared.docker(["volume", "inspect", name])).stderr, away);
    assert.match((await shared.docker(["volume", "rm", "-f", name])).stderr, away);
    assert.ok(performance.now() - began < 5000);
    await plugin.start();
    await until("the unmount", () => plugin.asked("VolumeDriver.Unmount").length === 1);
    assert.deepEqual(plugin.asked("VolumeDriver.Mount"), plugin.asked("VolumeDriver.Unmount"));
  });
});
