import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotFound, Unavailable, Unknown } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import type { DriverVolume, VolumeDriver } from "./driver.ts";
import { DriverVolumes, LocalVolumes } from "../index.ts";

/** A driver in memory that notes what it is asked. */
class MemoryDriver implements VolumeDriver {
  readonly name = "mem";
  readonly calls: string[] = [];
  readonly volumes = new Map<string, DriverVolume>();
  /** What it refuses, by method. */
  readonly errors: Record<string, Error> = {};

  #call(method: string, name = ""): void {
    this.calls.push(`${method} ${name}`.trim());
    if (this.errors[method]) throw this.errors[method];
  }

  async scope(): Promise<"global"> {
    return "global";
  }

  async create(name: string): Promise<void> {
    this.#call("create", name);
    this.volumes.set(name, {
      name,
      mountpoint: `/mem/${name}`,
      createdAt: "2026-01-02T03:04:05Z",
      status: { kept: true },
    });
  }

  async get(name: string): Promise<DriverVolume> {
    this.#call("get", name);
    const found = this.volumes.get(name);
    if (found === undefined) throw new NotFound("no such volume");
    return found;
  }

  async list(): Promise<DriverVolume[]> {
    this.#call("list");
    return [...this.volumes.values()];
  }

  async remove(name: string): Promise<void> {
    this.#call("remove", name);
    this.volumes.delete(name);
  }

  async mount(name: string, id: string): Promise<string> {
    this.#call("mount", `${name} ${id}`);
    return `/mem/${name}`;
  }

  async unmount(name: string, id: string): Promise<void> {
    this.#call("unmount", `${name} ${id}`);
  }
}

describe("volumes of drivers", () => {
  let dataRoot = "";
  let driver: MemoryDriver;
  let volumes: DriverVolumes;
  let present = true;

  async function open(): Promise<DriverVolumes> {
    const emit = (): void => undefined;
    const local = await LocalVolumes.open({ dataRoot, emit, log: silent });
    const get = async (name: string): Promise<VolumeDriver> => {
      if (name === driver.name && present) return driver;
      throw new NotFound(`plugin ${JSON.stringify(name)} not found`);
    };
    return DriverVolumes.open({
      dataRoot,
      local,
      drivers: { get, all: async () => (present ? [driver] : []) },
      emit,
      log: silent,
    });
  }

  beforeEach(async () => {
    dataRoot = mkdtempSync(join(tmpdir(), "lsdrv-"));
    driver = new MemoryDriver();
    present = true;
    volumes = await open();
  });
  afterEach(() => rmSync(dataRoot, { recursive: true, force: true }));

  it("creates once, shows the driver's words, and keeps labels over a restart", async () => {
    await volumes.create({ Name: "v1", Driver: "mem", DriverOpts: { a: "b" }, Labels: { x: "y" } });
    await volumes.create({ Name: "v1", Driver: "mem" });
    assert.deepEqual(
      driver.calls.filter((call) => call.startsWith("create")),
      ["create v1"],
    );
    volumes = await open();
    assert.deepEqual(await volumes.get("v1"), {
      CreatedAt: "2026-01-02T03:04:05Z",
      Driver: "mem",
      Labels: { x: "y" },
      Mountpoint: "/mem/v1",
      Name: "v1",
      Options: { a: "b" },
      Scope: "global",
      Status: { kept: true },
    });
    assert.deepEqual(
      (await volumes.list()).volumes.map(({ Name, Status }) => [Name, Status]),
      [["v1", undefined]],
    );
  });

  it("one name belongs to one driver", async () => {
    await volumes.create({ Name: "v1", Driver: "mem" });
    await assert.rejects(
      volumes.create({ Name: "v1", Driver: "local" }),
      /^Conflict: create v1: driver 'mem' already has volume 'v1': volume name must be unique$/,
    );
    assert.equal((await volumes.create({ Name: "v1" })).Driver, "mem");
    await volumes.create({ Name: "l1" });
    await assert.rejects(volumes.create({ Name: "l1", Driver: "mem" }), /driver 'local' already has volume 'l1'/);
    await assert.rejects(
      volumes.create({ Name: "n1", Driver: "none" }),
      /^NotFound: create n1: error looking up volume plugin none: plugin "none" not found$/,
    );
    driver.volumes.delete("v1");
    assert.equal((await volumes.create({ Name: "v1", Driver: "local" })).Driver, "local");
  });

  it("the same use has the same id, also when the engine was killed in between", async () => {
    await volumes.create({ Name: "v1", Driver: "mem" });
    volumes.reference("v1", "c1");
    assert.equal(await volumes.mount("v1", "c1"), "/mem/v1");
    await volumes.mount("v1", "c2");
    const mounts = driver.calls.filter((call) => call.startsWith("mount")).map((call) => call.split(" ")[2]);
    await assert.rejects(volumes.remove("v1", true), /^Conflict: remove v1: volume is in use - \[c1, c2\]$/);
    driver.calls.length = 0;
    volumes = await open();
    assert.equal(await volumes.mount("v1", "c1"), "/mem/v1");
    volumes.releaseUnclaimed();
    await volumes.unmount("v1", "c1");
    await volumes.unmount("v1", "c1");
    assert.deepEqual(driver.calls.toSorted(), mounts.map((id) => `unmount v1 ${id}`).toSorted());
  });

  it("a use that ends while its driver is away is told of later, or goes on", async () => {
    await volumes.create({ Name: "v1", Driver: "mem" });
    await volumes.mount("v1", "c1");
    const [, , id] = driver.calls.find((call) => call.startsWith("mount"))?.split(" ") ?? [];
    driver.errors["unmount"] = new Unavailable("refused");
    await volumes.unmount("v1", "c1");
    assert.deepEqual(volumes.references("v1"), []);
    driver.calls.length = 0;
    // The plugin may have been restarted meanwhile.
    await volumes.mount("v1", "c1");
    assert.deepEqual(driver.calls, [`mount v1 ${id}`]);
    await volumes.unmount("v1", "c1");
    delete driver.errors["unmount"];
    driver.calls.length = 0;
    volumes = await open();
    volumes.releaseUnclaimed();
    await volumes.unmount("v1", "c1");
    assert.deepEqual(driver.calls, [`unmount v1 ${id}`]);
  });

  it("a driver that is away hides nothing and blocks nothing", async () => {
    await volumes.create({ Name: "v1", Driver: "mem", Labels: { x: "y" } });
    driver.errors["list"] = new Unavailable("refused");
    driver.errors["get"] = new Unavailable("refused");
    assert.deepEqual(await volumes.list(), {
      volumes: [
        {
          CreatedAt: "0001-01-01T00:00:00Z",
          Driver: "mem",
          Labels: { x: "y" },
          Mountpoint: "",
          Name: "v1",
          Options: null,
          Scope: "global",
        },
      ],
      warnings: ["list mem: refused"],
    });
    await assert.rejects(
      volumes.remove("v1", true),
      /^Unknown: get v1: error while checking if volume "v1" exists in driver "mem": refused$/,
    );
    present = false;
    assert.deepEqual(
      (await volumes.list()).volumes.map(({ Name }) => Name),
      ["v1"],
    );
  });

  it("refusals leave the state as it was", async () => {
    driver.errors["create"] = new Unknown("nope");
    await assert.rejects(volumes.create({ Name: "v1", Driver: "mem" }), /^Unknown: create v1: nope$/);
    await assert.rejects(volumes.get("v1"), /^NotFound: get v1: no such volume$/);
    delete driver.errors["create"];
    await volumes.create({ Name: "v1", Driver: "mem" });
    driver.errors["mount"] = new Unknown("boom");
    await assert.rejects(volumes.mount("v1", "c1"), /^Unknown: error while mounting volume '': boom$/);
    driver.errors["remove"] = new Unknown("rmfail");
    await assert.rejects(volumes.remove("v1", true), /^Unknown: remove v1: rmfail$/);
    delete driver.errors["remove"];
    await volumes.remove("v1", false);
    assert.deepEqual((await (await open()).list()).volumes, []);
  });

  it("records that cannot be read are set aside and told of", async () => {
    writeFileSync(join(dataRoot, "volumes/plugins.json"), "{");
    volumes = await open();
    assert.equal(volumes.damage().length, 1);
    assert.ok(readdirSync(join(dataRoot, "volumes")).some((name) => name.startsWith("plugins.json.damaged-")));
    assert.deepEqual((await volumes.list()).volumes, []);
  });
});
