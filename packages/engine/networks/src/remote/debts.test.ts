import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Unavailable, Unknown } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { Records } from "../records/records.ts";
import { Debts } from "./debts.ts";
import type { NetworkPlugins } from "./drivers.ts";

describe("what plugins are owed", () => {
  let dir = "";
  let records: Records;
  let debts: Debts;
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
    debts = new Debts(records, plugins, silent);
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lsdebts-"));
    heard = [];
    answer = () => undefined;
    open();
  });
  afterEach(async () => {
    await debts.close();
    records.close();
    rmSync(dir, { recursive: true });
  });

  const oweAll = (owner: string): void => {
    debts.owe(owner, "p", "IpamDriver.ReleasePool", { PoolID: "1" });
    debts.owe(owner, "p", "IpamDriver.ReleaseAddress", { PoolID: "1", Address: "a" });
    debts.owe(owner, "q", "NetworkDriver.DeleteNetwork", { NetworkID: owner });
  };

  it("is given back pool by pool", async () => {
    oweAll("n");
    debts.owe("n", "p", "IpamDriver.ReleasePool", { PoolID: "2" });
    debts.owe("n", "p", "IpamDriver.ReleaseAddress", { PoolID: "2", Address: "b" });
    debts.owe("e", "p", "IpamDriver.ReleaseAddress", { PoolID: "1", Address: "c" });
    debts.collect();
    await debts.settle("n");
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
    await debts.settle("n");
    await debts.settle("n");
    assert.deepEqual(heard, ["p ReleaseAddress 1 a", "p ReleasePool 1", "q DeleteNetwork n"]);
    assert.equal(records.debts.size, 0);
  });

  it("survives the engine, and is collected when its owner has no record", async () => {
    oweAll("n");
    await debts.close();
    records.close();
    open();
    debts.collect();
    await debts.settle("n");
    assert.deepEqual(heard, ["p ReleaseAddress 1 a", "p ReleasePool 1", "q DeleteNetwork n"]);
  });

  it("stays while its plugin is away, which holds no other plugin up", async () => {
    oweAll("n");
    answer = (what) => {
      if (what.startsWith("p")) throw new Unavailable("away");
    };
    await debts.settle("n");
    assert.deepEqual(heard, ["q DeleteNetwork n"]);
    await assert.rejects(debts.settleWith("p"), { message: "away" });
    answer = () => undefined;
    await debts.settleWith("p");
    assert.deepEqual(heard.slice(1), ["p ReleaseAddress 1 a", "p ReleasePool 1"]);
  });

  it("ends when the plugin refuses it", async () => {
    oweAll("n");
    answer = () => {
      throw new Unknown("no such thing");
    };
    await debts.settle("n");
    assert.equal(records.debts.size, 0);
  });

  it("is not collected while its owner is being made, and not at all once it is forgiven", async () => {
    await debts.during("n", async () => {
      oweAll("n");
      await debts.settleWith("p");
      assert.deepEqual(heard, []);
    });
    debts.forgive("n", "NetworkDriver.DeleteNetwork");
    await debts.settle("n", "IpamDriver.ReleaseAddress");
    assert.deepEqual(heard, ["p ReleaseAddress 1 a"]);
    await debts.settleOne("n", "IpamDriver.ReleasePool", { PoolID: "1" });
    assert.deepEqual(heard.slice(1), ["p ReleasePool 1"]);
    assert.equal(records.debts.size, 0);
  });
});
