import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Unavailable, Unknown } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { Records } from "../records/records.ts";
import { PluginReleases } from "./plugin-releases.ts";
import type { NetworkPlugins } from "./drivers.ts";

describe("what plugins are owed", () => {
  let dir = "";
  let records: Records;
  let releases: PluginReleases;
  let heard: string[] = [];
  let answer: (what: string) => void;
  const never = (): Promise<never> => assert.fail("not asked for");
  const plugins: NetworkPlugins = {
    driver: never,
    ipam: never,
    giveBack: async (plugin, method, body) => {
      const what = `${plugin} ${method.replace(/^.*\./, "")} ${Object.values(body).join(" ")}`;
      answer(what);
      heard.push(what);
    },
  };
  const open = (): void => {
    records = new Records(dir, silent);
    releases = new PluginReleases(records, plugins, silent);
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lsdebts-"));
    heard = [];
    answer = () => undefined;
    open();
  });
  afterEach(async () => {
    await releases.close();
    records.close();
    rmSync(dir, { recursive: true });
  });

  const oweAll = (owner: string): void => {
    releases.plan(owner, "p", "IpamDriver.ReleasePool", { PoolID: "1" });
    releases.plan(owner, "p", "IpamDriver.ReleaseAddress", { PoolID: "1", Address: "a" });
    releases.plan(owner, "q", "NetworkDriver.DeleteNetwork", { NetworkID: owner });
  };

  it("is given back pool by pool", async () => {
    oweAll("n");
    releases.plan("n", "p", "IpamDriver.ReleasePool", { PoolID: "2" });
    releases.plan("n", "p", "IpamDriver.ReleaseAddress", { PoolID: "2", Address: "b" });
    releases.plan("e", "p", "IpamDriver.ReleaseAddress", { PoolID: "1", Address: "c" });
    releases.collect();
    await releases.settle("n");
    assert.deepEqual(heard, [
      "p ReleaseAddress 1 a",
      "p ReleaseAddress 1 c",
      "p ReleasePool 1",
      "p ReleaseAddress 2 b",
      "p ReleasePool 2",
      "q DeleteNetwork n",
    ]);
  });

  it("is given back in the order in which things stand on each other, once", async () => {
    oweAll("n");
    await releases.settle("n");
    await releases.settle("n");
    assert.deepEqual(heard, ["p ReleaseAddress 1 a", "p ReleasePool 1", "q DeleteNetwork n"]);
    assert.equal(records.releases.size, 0);
  });

  it("survives the engine, and is collected when its owner has no record", async () => {
    oweAll("n");
    await releases.close();
    records.close();
    open();
    releases.collect();
    await releases.settle("n");
    assert.deepEqual(heard, ["p ReleaseAddress 1 a", "p ReleasePool 1", "q DeleteNetwork n"]);
  });

  it("stays while its plugin is away, which holds no other plugin up", async () => {
    oweAll("n");
    answer = (what) => {
      if (what.startsWith("p")) throw new Unavailable("away");
    };
    await releases.settle("n");
    assert.deepEqual(heard, ["q DeleteNetwork n"]);
    await assert.rejects(releases.settleWith("p"), { message: "away" });
    answer = () => undefined;
    await releases.settleWith("p");
    assert.deepEqual(heard.slice(1), ["p ReleaseAddress 1 a", "p ReleasePool 1"]);
  });

  it("ends when the plugin refuses it", async () => {
    oweAll("n");
    answer = () => {
      throw new Unknown("no such thing");
    };
    await releases.settle("n");
    assert.equal(records.releases.size, 0);
  });

  it("is not collected while its owner is being made, and not at all once it is forgiven", async () => {
    await releases.during("n", async () => {
      oweAll("n");
      await releases.settleWith("p");
      assert.deepEqual(heard, []);
    });
    releases.cancel("n", "NetworkDriver.DeleteNetwork");
    await releases.settle("n", "IpamDriver.ReleaseAddress");
    assert.deepEqual(heard, ["p ReleaseAddress 1 a"]);
    await releases.settleOne("n", "IpamDriver.ReleasePool", { PoolID: "1" });
    assert.deepEqual(heard.slice(1), ["p ReleasePool 1"]);
    assert.equal(records.releases.size, 0);
  });
});
